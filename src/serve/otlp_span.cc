#include "serve/otlp_span.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace slipway::serve {
namespace {

bool is_id(const std::string& id, size_t digits) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return id.size() == digits && std::all_of(id.begin(), id.end(), hex) &&
         id.find_first_not_of('0') != std::string::npos;
}

std::string_view kind_name(int kind) {
  constexpr std::array<std::string_view, 6> names = {"",       "internal", "server",
                                                     "client", "producer", "consumer"};
  return kind > 0 && kind < static_cast<int>(names.size()) ? names[static_cast<size_t>(kind)] : "";
}

size_t bytes_of(const Attributes::value_type& attribute) {
  const auto* text = std::get_if<std::string>(&attribute.second);
  return sizeof(attribute) + attribute.first.size() + (text ? text->size() : 0);
}

}  // namespace

AttributeValue attribute_value(const json::Value& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool()) return value.as_bool();
  if (value.is_integer()) return value.as_integer();
  if (value.is_number()) return value.as_number();
  return value.dump();
}

json::Value attributes_json(const Attributes& attributes) {
  json::Object members;
  for (const auto& [key, value] : attributes) {
    const auto as_json = [](const auto& plain) { return json::Value(plain); };
    members.emplace_back(key, std::visit(as_json, value));
  }
  return object_of(std::move(members));
}

json::Value object_of(json::Object members) {
  std::unordered_map<std::string, size_t> places;
  json::Object kept;
  for (auto& [key, value] : members) {
    const auto [place, is_new] = places.try_emplace(key, kept.size());
    if (is_new)
      kept.emplace_back(key, std::move(value));
    else
      kept[place->second].second = std::move(value);
  }
  return json::Value(std::move(kept));
}

Error too_many_elements() {
  return Error::invalid_input("the request holds more than " + std::to_string(most_otlp_elements) +
                                  " spans, attributes, events and links",
                              "send it in parts");
}

Shared::Shared(Attributes of_resource)
    : attributes_(std::move(of_resource)), resource_size_(attributes_.size()), resource_bytes_(0) {
  for (const auto& attribute : attributes_) resource_bytes_ += bytes_of(attribute);
  bytes_ = resource_bytes_;
}

void Shared::enter_scope(const std::string& name, const std::string& version) {
  attributes_.resize(resource_size_);
  bytes_ = resource_bytes_;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) bytes_ += bytes_of(attributes_.emplace_back(key, value));
  };
  add("otel.scope.name", name);
  add("otel.scope.version", version);
}

void OtlpSpan::finish(const Shared& shared, OtlpBatch& batch) && {
  auto& parent = record.parent_span_id;
  if (parent.find_first_not_of('0') == std::string::npos) parent.clear();
  // A short request can say much once that each of many spans would hold.
  batch.shared_bytes += shared.bytes();
  if (!is_id(record.trace_id, 32) || !is_id(record.span_id, 16) ||
      batch.shared_bytes > most_shared_bytes) {
    ++batch.rejected;
    return;
  }
  auto& attributes = record.attributes;
  if (const auto name = kind_name(kind); !name.empty())
    attributes.emplace_back("otel.kind", std::string(name));
  if (!trace_state.empty()) attributes.emplace_back("otel.trace_state", trace_state);
  if (events.size() > 0) attributes.emplace_back("otel.events", events.dump());
  if (links.size() > 0) attributes.emplace_back("otel.links", links.dump());
  attributes.insert(attributes.end(), shared.attributes().begin(), shared.attributes().end());
  batch.spans.push_back(std::move(record));
}

}  // namespace slipway::serve
