#include "sheaf/host/web/web.h"

#include <map>
#include <utility>

#include "sheaf/host/web/probe.h"
#include "sheaf/host/web/route.h"
#include "sheaf/host/web/routes.h"

namespace sheaf::web {
namespace {

// What the driver itself refuses, as an error of the wire.
http::Response Refusal(int status, std::string_view why) {
  const auto kind = [status] {
    switch (status) {
      case 408:
      case 504: return Kind::kDeadline;
      case 413:
      case 431: return Kind::kExhausted;
      case 500: return Kind::kInternal;
      case 503: return Kind::kBackpressure;
      default: return Kind::kInvalid;
    }
  };
  return ErrorResponse(Fail(kind(), std::string(why)), status);
}

class HttpWeb final : public Web {
 public:
  HttpWeb(const WebParts& parts, std::string version)
      : parts_(parts), routes_(MakeRoutes(parts_, std::move(version))) {
    for (const Route& route : routes_) {
      by_path_.emplace(route.path, &route);
      probes_.emplace(route.path, Probe(parts_.metrics, route.path));
    }
    probes_.emplace("other", Probe(parts_.metrics, "other"));
  }
  ~HttpWeb() override { Stop({}); }

  Status Listen(http::ServerOptions options) {
    options.refusal = Refusal;
    answer_limit_ = options.answer_limit;
    SHEAF_ASSIGN(server_, http::Server::Start(
                              std::move(options), parts_.clock,
                              [this](http::Request request, http::Answer answer) {
                                Handle(std::move(request), std::move(answer));
                              }));
    return Done();
  }

  uint16_t port() const override { return server_->port(); }
  void Stop(Duration grace) override {
    if (server_ == nullptr) return;
    server_->Stop(grace);
    working_.Close();  // Work on the executor may outlast its request.
  }

 private:
  void Handle(http::Request request, http::Answer answer) {
    const auto found = by_path_.find(request.path);
    const Route* route = found == by_path_.end() ? nullptr : found->second;
    answer = Watched(request, route, std::move(answer));
    if (route == nullptr) return answer(NoRoute(request.path));
    if (request.method != "GET" && request.method != "HEAD") {
      auto refused = ErrorResponse(
          Fail(Kind::kUnsupported, "method " + request.method.substr(0, 32) +
                                       " is not allowed here; this API only reads: GET"),
          405);
      refused.headers["allow"] = "GET, HEAD";
      return answer(std::move(refused));
    }
    auto values = route->Read(request.query);
    if (!values.ok()) return answer(ErrorResponse(values.error()));
    flights::Context context;
    context.cancel = request.cancel;
    context.deadline = Deadline::After(parts_.clock, answer_limit_);
    context.trace = {core::NewId<core::RequestTag>(), Traceparent(request)};
    if (route->where == Route::Where::kLoop) return answer(Call(*route, *values, context));
    auto pass = std::make_shared<Gate::Pass>(working_.Enter());  // Functions must copy.
    const bool posted = parts_.executor.TryPost(
        [this, route, answer, pass, values = *std::move(values), context = std::move(context)] {
          answer(Call(*route, values, context));
        });
    if (posted) return;
    answer(ErrorResponse(Fail(Kind::kBackpressure, "too many requests are waiting",
                              R"({"after_ms":250})")));
  }

  http::Response Call(const Route& route, const Values& values, const flights::Context& context) {
    auto response = route.call(values, context);
    if (!response.ok()) return ErrorResponse(response.error());
    response->content_type = route.content_type;
    return *std::move(response);
  }

  http::Response NoRoute(const std::string& path) const {
    Json routes = Json::array();
    std::vector<std::string_view> names;
    for (const Route& route : routes_) {
      routes.push_back(route.path);
      names.push_back(route.path);
    }
    return ErrorResponse(Fail(Kind::kNotFound, core::UnknownWord("route", path, names),
                              Json{{"routes", std::move(routes)}}.dump()));
  }

  static std::string Traceparent(const http::Request& request) {
    const auto found = request.headers.find("traceparent");
    return found == request.headers.end() ? "" : found->second;
  }

  // Counts and logs the answer on its way.
  http::Answer Watched(const http::Request& request, const Route* route, http::Answer answer) {
    Probe& probe = probes_.at(route == nullptr ? "other" : route->path);
    return [this, &probe, answer = std::move(answer), began = parts_.clock.Now(),
            method = request.method.substr(0, 32), path = request.path,
            peer = request.peer](http::Response response) {
      const std::chrono::duration<double> took = parts_.clock.Now() - began;
      probe.seconds.Observe(took.count());
      if (const auto counter = probe.requests_total.find(response.status / 100);
          counter != probe.requests_total.end()) {
        counter->second->Increment();
      }
      parts_.log.Debug("http", {{"method", method},
                                {"path", path},
                                {"status", response.status},
                                {"ms", took.count() * 1000},
                                {"peer", peer}});
      response.headers.emplace("x-content-type-options", "nosniff");
      response.headers.emplace("cache-control", "no-store");
      answer(std::move(response));
    };
  }

  const WebParts parts_;
  const std::vector<Route> routes_;
  std::map<std::string, const Route*, std::less<>> by_path_;
  std::map<std::string, Probe, std::less<>> probes_;
  Duration answer_limit_{};
  Gate working_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Web>> StartWeb(WebOptions options, WebParts parts) {
  auto web = std::make_unique<HttpWeb>(parts, std::move(options.version));
  SHEAF_TRY(web->Listen(std::move(options.server)));
  return std::unique_ptr<Web>(std::move(web));
}

}  // namespace sheaf::web
