#include "sheaf/host/web/routes.h"

#include <arrow/type.h>

#include <memory>
#include <utility>

#include "sheaf/host/web/pages.h"

namespace sheaf::web {
namespace {

std::string_view StateName(cluster::Node::State state) {
  switch (state) {
    case cluster::Node::State::kStarting: return "starting";
    case cluster::Node::State::kReady: return "ready";
    case cluster::Node::State::kDraining: return "draining";
  }
  __builtin_unreachable();
}

// Why a node is not ready, out of its health: the modules that are not, or its own state.
Json Reasons(const Json& health) {
  Json reasons = Json::array();
  if (const auto modules = health.find("modules");
      modules != health.end() && modules->is_array()) {
    for (const Json& one : *modules) {
      if (one.value("state", "") == "ready") continue;
      reasons.push_back("module " + one.value("name", "?") + ": " +
                        one.value("reason", one.value("state", "not ready")));
    }
  }
  if (const std::string state = health.value("state", ""); !state.empty() && state != "ready") {
    reasons.push_back("the node is " + state);
  }
  if (reasons.empty()) reasons.push_back("the node is not ready");
  return reasons;
}

Route Live() {
  return {.path = "/live",
          .name = "live",
          .summary = "200 while the process serves at all",
          .where = Route::Where::kLoop,
          .schema = {{"type", "object"}, {"properties", {{"live", {{"type", "boolean"}}}}}},
          .call = [](const Values&, const flights::Context&) -> Result<http::Response> {
            return JsonResponse({{"live", true}});
          }};
}

Route Ready(const WebParts& parts) {
  return {.path = "/ready",
          .name = "ready",
          .summary = "200 while the node takes work, else 503 with the reasons",
          .where = Route::Where::kLoop,
          .schema = {{"type", "object"},
                     {"properties",
                      {{"ready", {{"type", "boolean"}}},
                       {"reasons", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                       {"modules", {{"type", "array"}, {"items", {{"type", "object"}}}}}}}},
          .also = {503},
          .call = [&parts](const Values&, const flights::Context&) -> Result<http::Response> {
            Json health = parts.health();
            const bool ready = parts.ready();
            health["ready"] = ready;
            if (!ready) health["reasons"] = Reasons(health);
            return JsonResponse(health, ready ? 200 : 503);
          }};
}

Route MetricsRoute(const WebParts& parts) {
  return {.path = "/metrics",
          .name = "metrics",
          .summary = "All metrics in the Prometheus text format",
          .where = Route::Where::kLoop,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .schema = {{"type", "string"}},
          .call = [&parts](const Values&, const flights::Context&) -> Result<http::Response> {
            return http::Response{.body = parts.metrics.Text()};
          }};
}

Json NodeJson(const cluster::Node& node) {
  return {{"id", node.id.text},         {"name", node.name},
          {"flight", node.flight_uri},  {"http", node.http_uri},
          {"version", node.version},    {"roles", node.roles},
          {"state", StateName(node.state)}, {"last_seen", time::ToText(node.last_seen)}};
}

Route NodeRoute(const WebParts& parts) {
  return {.path = "/api/v1/node",
          .name = "getNode",
          .summary = "This node: its names, addresses, state and health",
          .schema = {{"type", "object"}},
          .call = [&parts](const Values&, const flights::Context&) -> Result<http::Response> {
            const NodeId self = parts.cluster.membership().self();
            Json answer = {{"id", self.text}};
            for (const auto& node : parts.cluster.membership().Nodes()) {
              if (node.id == self) answer = NodeJson(node);
            }
            answer["health"] = parts.health();
            return JsonResponse(answer);
          }};
}

Route TasksRoute(const WebParts& parts) {
  return {.path = "/api/v1/tasks",
          .name = "listTasks",
          .summary = "The tasks of this node, by their ids",
          .parameters = PageParameters(),
          .schema = PageSchema({{"task", "string"},
                                {"service", "string"},
                                {"identity", "string"},
                                {"state", "string"},
                                {"outcome", "string"},
                                {"progress", "number"},
                                {"principal", "string"},
                                {"rows", "integer"},
                                {"bytes", "integer"},
                                {"ms", "object"},
                                {"error", "object"}}),
          .call = [&parts](const Values& values,
                           const flights::Context& context) -> Result<http::Response> {
            SHEAF_ASSIGN(auto tasks, parts.flights.Do("ListTasks", Json::object(), context));
            std::vector<std::pair<std::string, Json>> items;
            for (Json& task : tasks) {
              std::string id = task.value("task", "");
              items.emplace_back(std::move(id), std::move(task));
            }
            return JsonResponse(
                PageOf(std::move(items), values.String("after"), values.Integer("limit")));
          }};
}

// "raw/orders" or ["raw","orders"], as a path of no or more parts.
Result<Path> PathOf(const std::string& text, std::string_view where) {
  if (text.empty()) return Path();
  if (text.starts_with('[')) {
    SHEAF_ASSIGN(const Json parts, command::ParseJson(text));
    return Path::FromJson(parts, where);
  }
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '/') parts.emplace_back();
    else parts.back() += c;
  }
  auto path = Path::Make(std::move(parts));
  if (!path.ok()) return std::move(path).error().In(where);
  return path;
}

Json FlightJson(const flights::Listed& listed) {
  Json item = listed.metadata.is_object() ? listed.metadata : Json::object();
  item["path"] = listed.path.ToJson();
  item["rows"] = listed.rows;
  item["bytes"] = listed.bytes;
  if (listed.schema == nullptr) return item;
  Json columns = Json::array();
  for (const auto& field : listed.schema->fields()) {
    columns.push_back({{"name", field->name()},
                       {"type", field->type()->ToString()},
                       {"nullable", field->nullable()}});
  }
  item["columns"] = std::move(columns);
  return item;
}

Route FlightsRoute(const WebParts& parts) {
  auto parameters = PageParameters();
  parameters.push_back({.name = "prefix",
                        .description = "Flights at or below this path: raw/orders, or JSON parts"});
  return {.path = "/api/v1/flights",
          .name = "listFlights",
          .summary = "The committed flights, in path order",
          .parameters = std::move(parameters),
          .schema = PageSchema({{"path", "array"},
                                {"generation", "integer"},
                                {"identity", "string"},
                                {"created", "string"},
                                {"expires", "string"},
                                {"tier", "string"},
                                {"rows", "integer"},
                                {"bytes", "integer"},
                                {"columns", "array"}}),
          .call = [&parts](const Values& values,
                           const flights::Context& context) -> Result<http::Response> {
            SHEAF_ASSIGN(const Path prefix, PathOf(values.String("prefix"), "prefix"));
            SHEAF_ASSIGN(const Path after, PathOf(values.String("after"), "after"));
            const auto limit = static_cast<size_t>(values.Integer("limit"));
            SHEAF_ASSIGN(auto listed, parts.flights.List(prefix, after, limit + 1, context));
            const bool more = listed.size() > limit;
            if (more) listed.resize(limit);
            Json items = Json::array();
            for (const auto& one : listed) items.push_back(FlightJson(one));
            return JsonResponse(
                PageJson(std::move(items), more ? listed.back().path.ToJson().dump() : ""));
          }};
}

Route ServicesRoute(const WebParts& parts) {
  return {.path = "/api/v1/services",
          .name = "listServices",
          .summary = "The data services, by name, and the nodes that run them",
          .parameters = PageParameters(),
          .schema = PageSchema({{"service", "string"}, {"nodes", "array"}}),
          .call = [&parts](const Values& values,
                           const flights::Context&) -> Result<http::Response> {
            std::vector<std::pair<std::string, Json>> items;
            for (const auto& name : parts.cluster.services().All()) {
              Json nodes = Json::array();
              for (const auto& id : parts.cluster.services().Where(name)) {
                nodes.push_back(id.text);
              }
              items.emplace_back(name, Json{{"service", name}, {"nodes", std::move(nodes)}});
            }
            return JsonResponse(
                PageOf(std::move(items), values.String("after"), values.Integer("limit")));
          }};
}

}  // namespace

std::vector<Route> MakeRoutes(const WebParts& parts, std::string version) {
  std::vector<Route> routes;
  routes.push_back(Live());
  routes.push_back(Ready(parts));
  routes.push_back(MetricsRoute(parts));
  routes.push_back(NodeRoute(parts));
  routes.push_back(TasksRoute(parts));
  routes.push_back(FlightsRoute(parts));
  routes.push_back(ServicesRoute(parts));
  auto document = std::make_shared<Json>();  // Shared by the route's copies.
  routes.push_back({.path = "/api/v1/openapi.json",
                    .name = "openapi",
                    .summary = "This document",
                    .where = Route::Where::kLoop,
                    .schema = {{"type", "object"}},
                    .call = [document](const Values&,
                                       const flights::Context&) -> Result<http::Response> {
                      return JsonResponse(*document);
                    }});
  *document = OpenApi(routes, version);
  return routes;
}

}  // namespace sheaf::web
