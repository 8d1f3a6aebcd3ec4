// Routes as data: what is called, what may be asked, what is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/drivers/http/message.h"
#include "sheaf/ports/flights/flights.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::web {

// One parameter of a query: an integer within limits, or a string (empty when it is absent).
struct Parameter {
  enum class Type : uint8_t { kInteger, kString };
  std::string name;
  std::string description;
  Type type = Type::kString;
  int64_t fallback = 0, min = 0, max = 0;  // Of an integer.
};

// A query as its route declares it; asking for what is not declared is a defect of ours.
class Values {
 public:
  int64_t Integer(std::string_view name) const;
  const std::string& String(std::string_view name) const;

 private:
  friend struct Route;
  std::map<std::string, int64_t, std::less<>> integers_;
  std::map<std::string, std::string, std::less<>> strings_;
};

struct Route {
  std::string path;     // "/api/v1/tasks"; matched whole.
  std::string name;     // "listTasks"
  std::string summary;
  std::vector<Parameter> parameters;
  // kLoop: reads what is known, at once. kExecutor: may wait.
  enum class Where : uint8_t { kLoop, kExecutor } where = Where::kExecutor;
  std::string content_type = "application/json";
  Json schema = Json::object();   // Of the answer 200, in OpenAPI's words.
  std::vector<int> also;          // Other statuses with the same body.
  std::function<Result<http::Response>(const Values&, const flights::Context&)> call;

  // kInvalid names an unknown parameter with the nearest, or what does not fit.
  Result<Values> Read(const std::map<std::string, std::string>& query) const;
};

// The document of the whole API (OpenAPI 3.0).
Json OpenApi(const std::vector<Route>& routes, std::string_view version);

// 200 with this JSON.
http::Response JsonResponse(const Json& body, int status = 200);
// The error's JSON with the status of its kind, or with another one.
http::Response ErrorResponse(const Error& error, int status = 0);

}  // namespace sheaf::web
