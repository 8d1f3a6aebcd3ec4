#include "sheaf/host/web/route.h"

#include <charconv>
#include <utility>

#include "sheaf/wire/command/wire_error.h"

namespace sheaf::web {

int64_t Values::Integer(std::string_view name) const {
  const auto found = integers_.find(name);
  SHEAF_CHECK(found != integers_.end());
  return found->second;
}

const std::string& Values::String(std::string_view name) const {
  const auto found = strings_.find(name);
  SHEAF_CHECK(found != strings_.end());
  return found->second;
}

Result<Values> Route::Read(const std::map<std::string, std::string>& query) const {
  Values values;
  std::vector<std::string_view> names;
  for (const auto& parameter : parameters) {
    names.push_back(parameter.name);
    const auto given = query.find(parameter.name);
    if (parameter.type == Parameter::Type::kString) {
      values.strings_[parameter.name] = given == query.end() ? "" : given->second;
      continue;
    }
    int64_t number = parameter.fallback;
    if (given != query.end()) {
      const std::string& text = given->second;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size() || number < parameter.min ||
          number > parameter.max) {
        return Fail(Kind::kInvalid, "query parameter '" + parameter.name +
                                        "': expected an integer from " +
                                        std::to_string(parameter.min) + " to " +
                                        std::to_string(parameter.max));
      }
    }
    values.integers_[parameter.name] = number;
  }
  for (const auto& [name, value] : query) {
    if (values.strings_.contains(name) || values.integers_.contains(name)) continue;
    if (names.empty()) return Fail(Kind::kInvalid, path + " takes no query parameters");
    return Fail(Kind::kInvalid, core::UnknownWord("query parameter", name, names));
  }
  return values;
}

namespace {

Json ErrorSchema() {
  const auto text = [](std::initializer_list<const char*> values) {
    Json schema = {{"type", "string"}};
    if (values.size() > 0) schema["enum"] = Json(values);
    return schema;
  };
  return {{"type", "object"},
          {"required", {"code", "number", "retry", "effect", "message"}},
          {"properties",
           {{"code", text({})},
            {"number", {{"type", "integer"}}},
            {"retry", text({"no", "here", "other", "any"})},
            {"after_ms", {{"type", "integer"}}},
            {"effect", text({"none", "unknown"})},
            {"message", text({})},
            {"details", {{"type", "object"}}}}}};
}

Json ParameterJson(const Parameter& parameter) {
  Json schema = {{"type", "string"}};
  if (parameter.type == Parameter::Type::kInteger) {
    schema = {{"type", "integer"},
              {"minimum", parameter.min},
              {"maximum", parameter.max},
              {"default", parameter.fallback}};
  }
  return {{"name", parameter.name},
          {"in", "query"},
          {"required", false},
          {"description", parameter.description},
          {"schema", std::move(schema)}};
}

Json OperationJson(const Route& route) {
  Json content = {{route.content_type, {{"schema", route.schema}}}};
  Json responses = {{"200", {{"description", "OK"}, {"content", content}}}};
  for (const int status : route.also) {
    responses[std::to_string(status)] = {{"description", http::ReasonOf(status)},
                                         {"content", content}};
  }
  responses["default"] = {
      {"description", "An error"},
      {"content",
       {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
  Json parameters = Json::array();
  for (const auto& parameter : route.parameters) parameters.push_back(ParameterJson(parameter));
  return {{"operationId", route.name},
          {"summary", route.summary},
          {"parameters", std::move(parameters)},
          {"responses", std::move(responses)}};
}

}  // namespace

Json OpenApi(const std::vector<Route>& routes, std::string_view version) {
  Json paths = Json::object();
  for (const auto& route : routes) paths[route.path] = {{"get", OperationJson(route)}};
  return {{"openapi", "3.0.3"},
          {"info", {{"title", "Sheaf"}, {"version", version}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", {{"Error", ErrorSchema()}}}}}};
}

http::Response JsonResponse(const Json& body, int status) {
  // What came from outside may be no UTF-8: it is replaced, never thrown at.
  constexpr auto kReplace = Json::error_handler_t::replace;
  return {.status = status,
          .body = body.dump(-1, ' ', /*ensure_ascii=*/false, kReplace) + "\n"};
}

http::Response ErrorResponse(const Error& error, int status) {
  return {.status = status == 0 ? command::ToWire(error.kind).http : status,
          .body = command::ErrorJson(error) + "\n"};
}

}  // namespace sheaf::web
