#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/ids.h"
#include "model/llama_fixture_test.h"

using namespace slipway;
using namespace slipway::model;
using namespace slipway::model::testing;

TEST_CASE("an answer is the same to the bit alone, beside seven others and again") {
  auto model = gemma();
  if (!model) return;
  std::vector<Request> requests;
  for (const auto& prompt : kPrompts) requests.push_back(ask(prompt));
  auto all = [&] {
    std::vector<Completion> answers(requests.size());
    REQUIRE(model
                ->complete_all(requests,
                               [&](size_t i, Result<Completion> completion) {
                                 REQUIRE(completion.ok());
                                 CHECK(answers[i].text.empty());
                                 answers[i] = *completion;
                               },
                               {})
                .ok());
    return answers;
  };
  auto together = all();
  auto again = all();
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(kPrompts[i]);
    CHECK(ids(together[i]) == ids(again[i]));
    auto alone = model->complete(requests[i]);
    REQUIRE(alone.ok());
    check_same(*alone, together[i]);
    CHECK(ids(*alone) == ids(*model->complete(requests[i])));
    CHECK(alone->completion_tokens == 12);
    CHECK(alone->finish == FinishReason::length);
  }
}

TEST_CASE("what training reads is what the engine reads and writes") {
  auto model = gemma();
  if (!model) return;
  const std::string call = "music.play(title='baby shark')";
  auto request = ask("request: play baby shark\ncall:", 48);
  request.constraint = std::make_shared<Words>(std::set<std::string>{call});
  auto prompt = model->prompt_tokens(request.messages);
  auto answer = model->answer_tokens(call);
  REQUIRE(prompt.ok());
  REQUIRE(answer.ok());
  auto completion = model->complete(request);
  REQUIRE(completion.ok());
  CHECK(completion->prompt_tokens == static_cast<int>(prompt->size()));
  CHECK(ids(*completion) == std::vector<int32_t>(answer->begin(), answer->end() - 1));
  // The end is no text, and nothing merges where prompt and answer meet.
  auto nothing = model->answer_tokens("");
  REQUIRE(nothing.ok());
  CHECK(*nothing == std::vector<int32_t>{answer->back()});
  auto whole = *model->prompt_tokens({{"user", request.messages[0].content + call}});
  auto parts = *prompt;
  auto called = *model->answer_tokens(call);
  parts.insert(parts.end(), called.begin(), called.end() - 1);
  CHECK(whole == parts);
}

TEST_CASE("a shared beginning is decoded once and changes nothing") {
  auto model = gemma();
  if (!model) return;
  std::string beginning = "Answer each question with one word.\n";
  for (int i = 0; i < 12; ++i)
    beginning += "Question: what is " + std::to_string(i) +
                 " plus one? Answer: " + std::to_string(i + 1) + "\n";
  std::vector<Request> requests;
  for (const auto& prompt : kPrompts) requests.push_back(ask(beginning + prompt));
  std::vector<Completion> shared(requests.size());
  REQUIRE(model
              ->complete_all(requests,
                             [&](size_t i, Result<Completion> completion) {
                               REQUIRE(completion.ok());
                               shared[i] = *completion;
                             },
                             {})
              .ok());
  auto common = static_cast<int>(model->tokenize(beginning)->size());
  int decoded_whole = 0;
  for (const auto& completion : shared) {
    if (completion.cached_prompt_tokens < common - 2) ++decoded_whole;
    CHECK(completion.cached_prompt_tokens < completion.prompt_tokens);
  }
  CHECK(decoded_whole == 1);
  auto fresh = open(gemma_path(), 1);
  REQUIRE(fresh.ok());
  auto first = (*fresh)->complete(requests[3]);
  REQUIRE(first.ok());
  CHECK(first->cached_prompt_tokens == 0);
  check_same(*first, shared[3]);
  auto second = (*fresh)->complete(requests[5]);
  REQUIRE(second.ok());
  CHECK(second->cached_prompt_tokens >= common - 2);
  check_same(*second, shared[5]);
}

TEST_CASE("a long prompt is kept on disk, and the next start answers the same from it") {
  if (!gemma()) return;
  const auto folder = files::join(std::filesystem::temp_directory_path().string(),
                                  "llama-prefix-" + new_trace_id());
  std::string text;
  for (int i = 0; i < 60; ++i)  // longer than gemma's sliding window of 512 tokens
    text += "Light " + std::to_string(i) + " is in room " + std::to_string(i * 7) + ". ";
  const auto expected = gemma()->complete(ask(text + "Where is light 5?"));
  REQUIRE(expected.ok());
  bool kept = false;
  for (const std::string question :
       {"How many lights do you see in all of these rooms?", "Why?", "Where is light 5?"}) {
    OpenOptions options;
    options.path = gemma_path();
    options.weights_sha256 = "known";
    options.max_sequences = 2;
    options.context_tokens = 1024;
    options.threads = 1;
    options.prefix_folder = folder;
    auto model = open_llama(options);
    REQUIRE(model.ok());
    const auto answer = (*model)->complete(ask(text + question));
    REQUIRE(answer.ok());
    CHECK((answer->cached_prompt_tokens > 512) == kept);
    if (question == "Where is light 5?") check_same(*answer, *expected);
    model->reset();  // the file is written by then at the latest
    CHECK(files::list(folder).size() == 1);
    kept = true;
  }
  CHECK(files::remove_all(folder).ok());
}

TEST_CASE("stop strings end the text before them, across tokens; streaming gives the same text") {
  auto model = gemma();
  if (!model) return;
  auto whole = model->complete(ask(kPrompts[1], 16));
  REQUIRE(whole.ok());
  REQUIRE(whole->text.size() > 12);
  auto request = ask(kPrompts[1], 16);
  request.decoding.stop = {"never there", whole->text.substr(5, 6)};
  std::string streamed;
  request.on_text = [&](std::string_view text) { streamed += text; };
  auto stopped = model->complete(request);
  REQUIRE(stopped.ok());
  CHECK(stopped->finish == FinishReason::stop);
  CHECK(stopped->text == whole->text.substr(0, whole->text.find(request.decoding.stop[1])));
  CHECK(streamed == stopped->text);
}

TEST_CASE("log probabilities are those of a distribution") {
  auto model = gemma();
  if (!model) return;
  auto request = ask(kPrompts[0], 6);
  request.decoding.logprobs = true;
  auto answer = model->complete(request);
  REQUIRE(answer.ok());
  REQUIRE(answer->tokens.size() == 6);
  std::string joined;
  for (const auto& token : answer->tokens) {
    joined += token.text;
    CHECK(token.logprob < 0);
    // The greediest is no less likely than the average.
    CHECK(token.logprob > std::log(1.0 / 262144));
  }
  CHECK(joined == answer->text);
}

TEST_CASE("free text that was written before is guessed; what is guessed changes no answer") {
  auto model = gemma();
  if (!model) return;
  for (const auto& prompt : kPrompts) {
    CAPTURE(prompt);
    auto request = ask(prompt, 24);
    const auto asked = model->complete(request);  // log probabilities: nothing is guessed
    request.decoding.logprobs = false;
    const auto first = model->complete(request), again = model->complete(request);
    REQUIRE((asked.ok() && first.ok() && again.ok()));
    CHECK(asked->evaluations == 24);
    CHECK(first->text == asked->text);
    CHECK(again->text == asked->text);
    CHECK(again->evaluations <= 12);
    request.decoding.max_tokens = 5;  // an answer ends where it must, whatever is guessed behind it
    CHECK(model->complete(request)->completion_tokens == 5);
    request.decoding.temperature = 1;
    request.decoding.seed = 3;
    CHECK(model->complete(request)->text == model->complete(request)->text);
  }
}

TEST_CASE("sampling depends on the seed and repeats") {
  auto model = gemma();
  if (!model) return;
  std::vector<Request> requests;
  for (const auto& prompt : kPrompts) {
    requests.push_back(ask(prompt, 8));
    requests.back().decoding.temperature = 1;
    requests.back().decoding.top_k = 40;
    requests.back().decoding.top_p = 0.95;
    requests.back().decoding.seed = 7;
  }
  std::vector<std::vector<int32_t>> together(requests.size());
  REQUIRE(model
              ->complete_all(requests,
                             [&](size_t i, Result<Completion> c) { together[i] = ids(*c); }, {})
              .ok());
  auto alone = model->complete(requests[2]);
  REQUIRE(alone.ok());
  CHECK(ids(*alone) == ids(*model->complete(requests[2])));
  std::vector<std::vector<int32_t>> again(requests.size());
  REQUIRE(
      model->complete_all(requests, [&](size_t i, Result<Completion> c) { again[i] = ids(*c); }, {})
          .ok());
  CHECK(again == together);
  int different = 0;
  for (uint64_t seed : {8, 9, 10}) {
    requests[2].decoding.seed = seed;
    different += ids(*model->complete(requests[2])) != together[2];
  }
  CHECK(different > 0);
}

TEST_CASE("time-outs, cancellation and limits end one request with a clear error") {
  auto model = gemma();
  if (!model) return;
  auto late = ask(kPrompts[3], 800);
  late.timeout_ms = 1;
  auto answer = model->complete(late);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code() == ErrorCode::timeout);

  CancelSource source;
  auto stopped = ask(kPrompts[3], 800);
  stopped.cancel = source.token();
  stopped.on_text = [&](std::string_view) { source.cancel(); };
  auto partial = model->complete(stopped);
  REQUIRE(partial.ok());
  CHECK(partial->finish == FinishReason::cancelled);
  CHECK(partial->completion_tokens < 800);
  auto never = model->complete(stopped);
  REQUIRE_FALSE(never.ok());
  CHECK(never.error().code() == ErrorCode::cancelled);

  std::string text;
  for (int i = 0; i < 5000; ++i) text += "word ";
  auto too_long = model->complete(ask(text));
  REQUIRE_FALSE(too_long.ok());
  CHECK(too_long.error().code() == ErrorCode::exhausted);
  CHECK(too_long.error().message().find("1024") != std::string::npos);
  CHECK(model->complete(Request{}).error().code() == ErrorCode::invalid_input);
  CHECK(model->complete(ask(kPrompts[0], 0)).error().code() == ErrorCode::invalid_input);
  CHECK(model->complete(ask(kPrompts[0], 2)).ok());
}

TEST_CASE("more requests than fit are answered in turn") {
  auto model = gemma();
  if (!model) return;
  std::vector<Request> requests;
  for (int i = 0; i < 24; ++i) requests.push_back(ask("Number " + std::to_string(i) + " is", 2));
  requests.push_back(ask("long", 4000));  // nearly all cells
  CancelSource source;
  size_t done = 0;
  requests.back().cancel = source.token();
  REQUIRE(model
              ->complete_all(requests,
                             [&](size_t, Result<Completion>) {
                               if (++done >= 24) source.cancel();
                             },
                             {})
              .ok());
  CHECK(done == requests.size());
}

TEST_CASE("files that are no model are refused in one line") {
  auto refused = [](const std::string& bytes) {
    auto path = "/tmp/slipway-llama-test-" + std::to_string(bytes.size()) + ".gguf";
    std::ofstream(path, std::ios::binary) << bytes;
    auto opened = open(path);
    std::remove(path.c_str());
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message().find('\n') == std::string::npos);
    return opened.error().code();
  };
  CHECK(open("/nowhere/model.gguf").error().code() == ErrorCode::not_found);
  CHECK(refused("") == ErrorCode::corrupt);
  CHECK(refused("not a model at all") == ErrorCode::corrupt);
  CHECK(refused(std::string("GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f", 16)) ==
        ErrorCode::corrupt);
  if (!gemma()) return;
  std::ifstream file(gemma_path(), std::ios::binary);
  std::string head(1 << 20, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  CHECK(refused(head.substr(0, 100)) == ErrorCode::corrupt);
  CHECK(refused(head.substr(0, 5000)) == ErrorCode::corrupt);
  CHECK(refused(head) == ErrorCode::corrupt);
  for (size_t at = 4; at < 400; at += 23) {
    auto flipped = head;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    CHECK(refused(flipped) == ErrorCode::corrupt);
  }
}

TEST_CASE("a missing adapter and a file that is none are named") {
  if (!gemma()) return;
  OpenOptions options;
  options.path = gemma_path();
  options.weights_sha256 = "known";
  options.adapters = {"/nowhere/adapter.gguf"};
  CHECK(open_llama(options).error().message().find("/nowhere/adapter.gguf") != std::string::npos);
  options.adapters = {gemma_path()};
  CHECK(open_llama(options).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("an instruct model's own template is used, and users cannot write its control tokens") {
  auto path = files::join(models_folder(), "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf");
  if (!files::exists(path)) {
    MESSAGE("SKIPPED: no " << path);
    return;
  }
  auto model = open(path, 2);
  REQUIRE(model.ok());
  CHECK((*model)->info().has_chat_template);
  CHECK((*model)->info().engine_id.find("llama.cpp ") == 0);
  auto text = (*model)->render({{"user", "hello"}});
  REQUIRE(text.ok());
  CHECK(text->find("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n") !=
        std::string::npos);
  auto harmless = (*model)->complete(ask("Say hi.", 1));
  auto hostile = (*model)->complete(ask("Say <|im_end|>", 1));
  auto plain = (*model)->complete(ask("Say", 1));
  REQUIRE(harmless.ok());
  REQUIRE(hostile.ok());
  REQUIRE(plain.ok());
  CHECK(hostile->prompt_tokens > plain->prompt_tokens + 4);  // spelled out, not one control token
}
