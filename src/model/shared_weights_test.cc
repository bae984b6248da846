// Openers of one file: the same weights, answers of their own.
#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "base/temporary_folder_test.h"
#include "model/model.h"
#include "model/tiny_weights.h"

using namespace slipway;
using namespace slipway::model;

namespace {

struct Folder {
  std::string path(const std::string& file) const { return folder / (file + ".gguf"); }
  TemporaryFolder folder{"weights"};
};

std::shared_ptr<Model> opened(const std::string& path, std::vector<std::string> adapters = {},
                              int sequences = 2) {
  OpenOptions options;
  options.path = path;
  options.weights_sha256 = "known";
  options.adapters = std::move(adapters);
  options.max_sequences = sequences;
  options.context_tokens = 256;
  options.threads = 1;
  auto model = open_llama(options);
  const auto failure = model.ok() ? "" : model.error().to_string();
  INFO(failure);
  REQUIRE(model.ok());
  return *model;
}

// The tokens and how likely each was: to the bit.
using Answer = std::vector<std::pair<int32_t, double>>;

Answer answer(Model& model, const std::string& text = "play baby shark") {
  Request request;
  request.messages = {{"user", text}};
  request.decoding.max_tokens = 12;
  request.decoding.logprobs = true;
  const auto completion = model.complete(request);
  REQUIRE(completion.ok());
  Answer tokens;
  for (const auto& token : completion->tokens) tokens.emplace_back(token.id, token.logprob);
  CHECK_FALSE(tokens.empty());
  return tokens;
}

}  // namespace

TEST_CASE("models on one file share its weights, which go with the last of them") {
  const Folder folder;
  const auto path = tiny_weights(folder.path("shared"));
  auto first = opened(path);
  auto second = opened(path, {tiny_adapter(folder.path("shared-lora"), 7)});
  CHECK(first->memory().weights == second->memory().weights);
  CHECK(first->memory().weights_bytes >= *files::size(path) / 2);
  CHECK(first->memory().weights_bytes == second->memory().weights_bytes);
  CHECK(opened(tiny_weights(folder.path("other")))->memory().weights != first->memory().weights);
  const std::weak_ptr<const void> weights = first->memory().weights;
  first.reset();
  CHECK_FALSE(answer(*second).empty());
  CHECK_FALSE(weights.expired());
  second.reset();
  CHECK(weights.expired());
}

TEST_CASE("beside others on the same weights an answer is the same to the bit as alone") {
  const Folder folder;
  const auto path = tiny_weights(folder.path("beside"));
  const auto adapter = tiny_adapter(folder.path("beside-1"), 7);
  const auto another = tiny_adapter(folder.path("beside-2"), 8);
  const auto plain_alone = answer(*opened(path));
  const auto adapted_alone = answer(*opened(path, {adapter}));
  const auto both_alone = answer(*opened(path, {adapter, another}));
  CHECK(plain_alone != adapted_alone);
  CHECK(adapted_alone != both_alone);
  auto plain = opened(path), adapted = opened(path, {adapter});
  auto both = opened(path, {adapter, another});
  CHECK(answer(*both) == both_alone);
  CHECK(answer(*plain) == plain_alone);
  CHECK(answer(*adapted) == adapted_alone);
  adapted.reset();  // its adapter goes, nobody else's
  CHECK(answer(*plain, "stop it") != plain_alone);
  CHECK(answer(*both) == both_alone);
  CHECK(answer(*plain) == plain_alone);
  CHECK(answer(*opened(path, {another})) != adapted_alone);
}

TEST_CASE("models are opened, asked and closed side by side") {
  const Folder folder;
  const auto path = tiny_weights(folder.path("threads"));
  const auto adapter = tiny_adapter(folder.path("threads-lora"), 7);
  const auto plain = answer(*opened(path)), adapted = answer(*opened(path, {adapter}));
  const std::vector<std::vector<std::string>> adapters = {{}, {adapter}};
  std::vector<Answer> answers(16);
  std::vector<std::jthread> threads;
  for (size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t i = thread; i < answers.size(); i += 4)
        answers[i] = answer(*opened(path, adapters[i % 2]));
    });
  }
  threads.clear();
  for (size_t i = 0; i < answers.size(); ++i) CHECK(answers[i] == (i % 2 ? adapted : plain));
}

TEST_CASE("another file under the same path is loaded; who has the old one keeps it") {
  const Folder folder;
  const auto path = tiny_weights(folder.path("replaced"));
  auto before = opened(path);
  const auto expected = answer(*before);
  std::filesystem::rename(tiny_weights(folder.path("replacing"), 2), path);
  auto after = opened(path);
  CHECK(after->memory().weights != before->memory().weights);
  CHECK(answer(*after) != expected);
  CHECK(answer(*before, "play baby sharks") != expected);
  CHECK(answer(*before) == expected);
}

TEST_CASE("more sequences take more memory of a model's own, and no more for the weights") {
  const Folder folder;
  const auto path = tiny_weights(folder.path("sequences"));
  const auto small = opened(path, {}, 1)->memory(), large = opened(path, {}, 8)->memory();
  CHECK(small.weights_bytes == large.weights_bytes);
  // Two layers of keys and values, 64 wide, two bytes each, 256 tokens: 128 KiB for each sequence.
  CHECK(large.own_bytes - small.own_bytes >= 7 * 2 * 2 * 64 * 2 * 256);
}

TEST_CASE("the vocabulary alone tells the tokens that the whole model tells, and answers nothing") {
  const Folder folder;
  OpenOptions options;
  options.path = tiny_weights(folder.path("vocabulary"));
  options.weights_sha256 = "known";
  options.context_tokens = 256;
  const auto whole = opened(options.path);
  options.vocabulary_only = true;
  const auto opened_alone = open_llama(options);
  REQUIRE(opened_alone.ok());
  Model& alone = **opened_alone;
  const std::vector<Message> messages = {{"user", "play baby shark"}};
  CHECK(*alone.prompt_tokens(messages) == *whole->prompt_tokens(messages));
  CHECK(*alone.answer_tokens("music.play()") == *whole->answer_tokens("music.play()"));
  CHECK(*alone.tokenize("a b") == *whole->tokenize("a b"));
  CHECK(*alone.render(messages) == *whole->render(messages));
  CHECK(alone.info().engine_id == whole->info().engine_id);
  const auto refused = alone.complete({.messages = messages});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == ErrorCode::unsupported);
  CHECK(alone.memory().weights_bytes == 0);
}
