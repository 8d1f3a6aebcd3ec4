// Actions and lists: everything that answers with a stream of small messages.
#include <optional>
#include <utility>

#include "sheaf/host/endpoint/handler.h"

namespace sheaf::endpoint {
namespace {

constexpr size_t kListPage = 512;

// A list that was collected before.
class TextStream final : public flight::ItemStream<std::string> {
 public:
  explicit TextStream(std::vector<std::string> items) : items_(std::move(items)) {}
  Result<std::optional<std::string>> Next() override {
    if (next_ == items_.size()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(items_[next_++]));
  }

 private:
  std::vector<std::string> items_;
  size_t next_ = 0;
};

// The catalog in path order, a page at a time.
class CatalogStream final : public flight::ItemStream<flight::Info> {
 public:
  CatalogStream(Core& core, RequestPtr request, Path prefix, Path after, size_t limit)
      : core_(core),
        request_(std::move(request)),
        prefix_(std::move(prefix)),
        after_(std::move(after)),
        left_(limit) {}

  Result<std::optional<flight::Info>> Next() override {
    while (left_ > 0) {
      if (at_ == page_.size()) {
        page_ = core_.parts.cluster.catalog().List(prefix_, after_, kListPage);
        at_ = 0;
        if (page_.empty()) break;
        after_ = page_.back().first;
      }
      const auto& [path, entry] = page_[at_++];
      if (entry.goes().has_value() && *entry.goes() <= core_.clock().Wall()) continue;
      --left_;
      SHEAF_ASSIGN(auto info, InfoOfEntry(core_, request_->context(), path, entry,
                                          {.type = flight::Descriptor::Type::kPath,
                                           .path = path.parts(),
                                           .command = {}}));
      return std::optional<flight::Info>(std::move(info));
    }
    return std::optional<flight::Info>();
  }

 private:
  Core& core_;  // Borrowed from the endpoint.
  const RequestPtr request_;
  const Path prefix_;
  Path after_;
  size_t left_;
  std::vector<std::pair<Path, cluster::CatalogEntry>> page_;
  size_t at_ = 0;
};

struct Criteria {
  Path prefix, after;
  size_t limit = SIZE_MAX;
};

Result<Criteria> ParseCriteria(std::string_view text) {
  Criteria criteria;
  if (text.empty()) return criteria;
  SHEAF_ASSIGN(const Json json, command::ParseJson(text));
  command::ObjectReader read(json, "criteria");
  const auto path = [&](std::string_view key) -> Result<Path> {
    const Json* value = read.Take(key);
    if (value == nullptr || (value->is_array() && value->empty())) return Path();
    return Path::FromJson(*value, "criteria." + std::string(key));
  };
  SHEAF_ASSIGN(criteria.prefix, path("prefix"));
  SHEAF_ASSIGN(criteria.after, path("after"));
  SHEAF_ASSIGN(const int64_t limit, read.Integer("limit", INT64_MAX, 1, INT64_MAX));
  SHEAF_TRY(read.Finish());
  criteria.limit = static_cast<size_t>(limit);
  return criteria;
}

}  // namespace

void Handler::DoAction(flight::CallPtr call, flight::Action action,
                       flight::Reply<std::unique_ptr<flight::ItemStream<std::string>>> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) {
    // Health is what one asks of a server that is not ready.
    if (action.type != "HealthCheck") return reply(std::move(request).error());
    request = std::make_shared<Request>(call, core_.clock(), core_.parts.log, core_.probe);
  }
  auto fail = [request = *request, reply](Error error) {
    reply(request->Failed(std::move(error)));
  };
  core_.Post(
      [this, request = *request, reply, fail, action = std::move(action)] {
        auto results = Act(request->context(), action);
        if (!results.ok()) return fail(std::move(results).error());
        reply(std::unique_ptr<flight::ItemStream<std::string>>(
            std::make_unique<TextStream>(std::move(*results))));
      },
      fail);
}

Result<std::vector<std::string>> Handler::Act(const flights::Context& context,
                                              const flight::Action& action) {
  if (action.type == "CancelFlightInfo") return CancelInfo(context, action.body);
  if (action.type == "RenewFlightEndpoint") return RenewEndpoint(context, action.body);
  Json body = Json::object();
  if (!action.body.empty()) {
    SHEAF_ASSIGN(body, command::ParseJson(action.body));
  }
  SHEAF_ASSIGN(const auto results, core_.parts.actions.Do(action.type, body, context));
  std::vector<std::string> texts;
  for (const auto& result : results) texts.push_back(result.dump());
  return texts;
}

Result<std::vector<std::string>> Handler::CancelInfo(const flights::Context& context,
                                                     const std::string& body) {
  SHEAF_ASSIGN(const auto cancel, flight::ParseCancelFlightInfo(body));
  auto status = flight::CancelStatus::kNotCancellable;
  // What an incomplete poll gave has no tickets yet, but names its task.
  if (cancel.tickets.empty() && cancel.descriptor.command.starts_with('{')) {
    SHEAF_ASSIGN(const auto what, command::ParseRequest(cancel.descriptor.command));
    if (const auto* task = std::get_if<command::TaskRef>(&what)) {
      SHEAF_TRY(core_.parts.engine.Cancel(task->task, context, tasks::Engine::Force::kNo));
      status = flight::CancelStatus::kCancelled;
    }
  }
  for (const auto& ticket : cancel.tickets) {
    auto ticketed = OpenTicket(core_, context, ticket);
    if (!ticketed.ok()) {
      // Gone already is what a cancel wants; a forged or foreign ticket is not.
      if (ticketed.error().kind == Kind::kResultGone || ticketed.error().kind == Kind::kCancelled) {
        continue;
      }
      return std::move(ticketed).error();
    }
    if (ticketed->submission.run == nullptr) continue;
    core_.parts.engine.EndInterest(ticketed->submission,
                                   Fail(Kind::kCancelled, "cancelled by CancelFlightInfo"));
    status = flight::CancelStatus::kCancelled;
  }
  return std::vector<std::string>{flight::CancelFlightInfoResult(status)};
}

Result<std::vector<std::string>> Handler::RenewEndpoint(const flights::Context& context,
                                                        const std::string& body) {
  SHEAF_ASSIGN(auto endpoint, flight::ParseRenewFlightEndpoint(body));
  SHEAF_ASSIGN(const auto ticketed, OpenTicket(core_, context, endpoint.ticket));
  if (ticketed.submission.run != nullptr) {
    SHEAF_TRY(core_.parts.engine.Renew(ticketed.submission));
    endpoint.expires = core_.parts.engine.ExpiresAt(ticketed.submission);
  } else {
    endpoint.expires = ticketed.submission.hit->record->goes();
  }
  return std::vector<std::string>{flight::RenewedEndpoint(endpoint)};
}

void Handler::ListFlights(flight::CallPtr call, std::string criteria,
                          flight::Reply<std::unique_ptr<flight::ItemStream<flight::Info>>> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  auto parsed = ParseCriteria(criteria);
  if (!parsed.ok()) return reply((*request)->Failed(std::move(parsed).error()));
  reply(std::unique_ptr<flight::ItemStream<flight::Info>>(std::make_unique<CatalogStream>(
      core_, *request, std::move(parsed->prefix), std::move(parsed->after), parsed->limit)));
}

std::vector<flight::ActionType> Handler::ListActions() {
  std::vector<flight::ActionType> types{
      {"CancelFlightInfo", "CancelFlightInfoRequest -> CancelFlightInfoResult"},
      {"RenewFlightEndpoint", "RenewFlightEndpointRequest -> FlightEndpoint"}};
  for (const auto& [name, entry] : core_.parts.actions.all()) {
    types.push_back({name, entry.description});
  }
  return types;
}

Result<std::string> Handler::Handshake(flight::CallPtr call, std::string) {
  SHEAF_ASSIGN(auto request, core_.Open(call));
  return std::string();  // Everybody is `anonymous`: there is no token to hand out.
}

}  // namespace sheaf::endpoint
