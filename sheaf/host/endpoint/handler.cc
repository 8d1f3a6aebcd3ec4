#include "sheaf/host/endpoint/handler.h"

#include <algorithm>
#include <utility>

#include "sheaf/host/endpoint/info_call.h"
#include "sheaf/host/endpoint/streams.h"
#include "sheaf/host/tasks/local_flights.h"

namespace sheaf::endpoint {
namespace {

Error PollError(const Core& core, const tasks::Submission& submission) {
  Json details = core.parts.engine.PollDetails(submission);
  details["after_ms"] = 1000;
  return Fail(Kind::kPoll,
              "the task still runs; ask again with {\"task\": \"" +
                  details["task"].get<std::string>() + "\"}",
              details.dump());
}

flight::Descriptor TaskDescriptor(const tasks::Submission& submission) {
  return {.type = flight::Descriptor::Type::kCommand,
          .command = Json{{"task", submission.run->id.text}}.dump()};
}

bool IsPlacement(const command::Request& what) {
  return std::holds_alternative<tasks::CommandPtr>(what) ||
         std::holds_alternative<command::TaskRef>(what);
}

Error NothingToReuse() {
  return Fail(Kind::kInvalid,
              "sink.reuse: an upload always replaces what is at its path; leave `reuse` out, and "
              "say \"if_generation\": 0 to write only where nothing is");
}

Error NotAnInput() {
  return Fail(Kind::kInvalid, "{\"sink\": …} is a target of DoPut, not something to get");
}

}  // namespace

std::optional<Result<flight::Info>> Handler::AtOnce(const RequestPtr& request,
                                                    const command::Request& what,
                                                    const flight::Descriptor& descriptor) {
  const auto& context = request->context();
  if (const auto* path = std::get_if<command::PathRef>(&what)) {
    return InfoOfPath(core_, context, path->path, descriptor);
  }
  if (std::holds_alternative<command::SinkRef>(what)) return Result<flight::Info>(NotAnInput());
  const auto* command = std::get_if<tasks::CommandPtr>(&what);
  if (command == nullptr || !(*command)->sink.has_value()) return std::nullopt;
  const auto known = core_.memo.Find(descriptor.command);
  if (!known.has_value() || !known->identity.has_value()) return std::nullopt;
  if (!tasks::Authorise(**command, context.principal).ok()) return std::nullopt;
  auto hit = core_.parts.engine.QuickHit(**command, *known->identity);
  if (!hit.has_value()) return std::nullopt;
  core_.probe.memo_hits.Increment();
  return InfoOf(core_, context, *hit, descriptor);
}

void Handler::GetFlightInfo(flight::CallPtr call, flight::Descriptor descriptor,
                            flight::Reply<flight::Info> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  auto fail = [request = *request, reply](Error error) {
    reply(request->Failed(std::move(error)));
  };
  auto what = ParseDescriptor(core_, descriptor);
  if (!what.ok()) return fail(std::move(what).error());
  if (auto info = AtOnce(*request, *what, descriptor)) {
    if (!info->ok()) return fail(std::move(*info).error());
    return reply(std::move(*info));
  }
  auto patience = Patience::FromHeaders(*call, core_.options.pollable_wait);
  if (!patience.ok()) return fail(std::move(patience).error());
  auto waiting = std::make_shared<InfoCall>(
      core_, *request, *patience, InfoCall::Then::kClaim,
      [this, request = *request, reply, fail, descriptor](Result<InfoCall::Verdict> verdict,
                                                          const tasks::Submission& submission) {
        if (!verdict.ok()) return fail(std::move(verdict).error());
        if (*verdict == InfoCall::Verdict::kPoll) return fail(PollError(core_, submission));
        auto info = InfoOf(core_, request->context(), submission, descriptor);
        if (!info.ok()) return fail(std::move(info).error());
        reply(std::move(info));
      });
  waiting->Start(std::move(*what));
}

void Handler::PollFlightInfo(flight::CallPtr call, flight::Descriptor descriptor,
                             flight::Reply<flight::Poll> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  auto fail = [request = *request, reply](Error error) {
    reply(request->Failed(std::move(error)));
  };
  auto what = ParseDescriptor(core_, descriptor);
  if (!what.ok()) return fail(std::move(what).error());
  if (auto info = AtOnce(*request, *what, descriptor)) {
    if (!info->ok()) return fail(std::move(*info).error());
    return reply(flight::Poll{.info = std::move(**info), .progress = 1.0});
  }
  auto patience = Patience::FromHeaders(*call, core_.options.pollable_wait);
  if (!patience.ok()) return fail(std::move(patience).error());
  patience->pollable = true;
  auto waiting = std::make_shared<InfoCall>(
      core_, *request, *patience, InfoCall::Then::kClaim,
      [this, request = *request, reply, fail, descriptor](Result<InfoCall::Verdict> verdict,
                                                          const tasks::Submission& submission) {
        if (!verdict.ok()) return fail(std::move(verdict).error());
        flight::Poll poll;
        if (*verdict == InfoCall::Verdict::kPoll) {
          poll.again = TaskDescriptor(submission);
          poll.info = flight::Info{.descriptor = *poll.again,
                                   .app_metadata = core_.parts.engine.Metadata(submission).dump()};
          poll.progress = core_.parts.engine.PollDetails(submission).value("progress", 0.0);
          poll.expires = core_.parts.engine.ExpiresAt(submission);
          return reply(std::move(poll));
        }
        auto info = InfoOf(core_, request->context(), submission, descriptor);
        if (!info.ok()) return fail(std::move(info).error());
        poll.info = std::move(info).value();
        poll.progress = 1.0;
        reply(std::move(poll));
      });
  waiting->Start(std::move(*what));
}

void Handler::GetSchema(flight::CallPtr call, flight::Descriptor descriptor,
                        flight::Reply<std::shared_ptr<arrow::Schema>> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  auto fail = [request = *request, reply](Error error) {
    reply(request->Failed(std::move(error)));
  };
  auto what = ParseDescriptor(core_, descriptor);
  if (!what.ok()) return fail(std::move(what).error());
  if (const auto* path = std::get_if<command::PathRef>(&*what)) {
    if (core_.parts.engine.own().At(path->path) != nullptr && !path->generation) {
      for (const auto& own : core_.parts.engine.own().All()) {
        if (own.path == path->path) return reply(own.schema);
      }
    }
    auto found = tasks::FindPath(core_.parts.engine.store(), *path);
    if (!found.ok()) return fail(std::move(found).error());
    return reply(found->hit->flight->schema());
  }
  const auto* command = std::get_if<tasks::CommandPtr>(&*what);
  if (command == nullptr) {
    return fail(Fail(Kind::kInvalid, "GetSchema takes a path or a command"));
  }
  core_.Post(
      [this, request = *request, reply, fail, command = *command] {
        auto schema = core_.parts.engine.PlanSchema(command, request->context());
        if (!schema.ok()) return fail(std::move(schema).error());
        reply(std::move(schema));
      },
      fail);
}

void Handler::DoGet(flight::CallPtr call, std::string ticket, StreamReply reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  if (!ticket.empty() && ticket.front() == '{') return GetByJson(*request, ticket, reply);
  GetTicketed(*request, ticket, reply);
}

void Handler::GetTicketed(const RequestPtr& request, const std::string& ticket,
                          const StreamReply& reply) {
  auto ticketed = OpenTicket(core_, request->context(), ticket);
  if (!ticketed.ok()) return reply(request->Failed(std::move(ticketed).error()));
  auto compression = CompressionFromHeaders(*request->call());
  if (!compression.ok()) return reply(request->Failed(std::move(compression).error()));
  auto opened = core_.parts.engine.Open(ticketed->submission, ticketed->partition);
  if (!opened.ok()) return reply(request->Failed(std::move(opened).error()));
  reply(std::unique_ptr<flight::GetStream>(
      std::make_unique<BatchStream>(request, core_.probe, *compression, std::move(*opened))));
}

// One round trip: the ticket is the command.
void Handler::GetByJson(const RequestPtr& request, const std::string& ticket,
                        const StreamReply& reply) {
  auto fail = [request, reply](Error error) { reply(request->Failed(std::move(error))); };
  auto compression = CompressionFromHeaders(*request->call());
  if (!compression.ok()) return fail(std::move(compression).error());
  auto open = [this, request, reply, fail,
               compression = *compression](const tasks::Submission& submission) {
    auto opened = core_.parts.engine.Open(submission, std::nullopt);
    if (!opened.ok()) return fail(std::move(opened).error());
    reply(std::unique_ptr<flight::GetStream>(
        std::make_unique<BatchStream>(request, core_.probe, compression, std::move(*opened))));
  };
  const flight::Descriptor descriptor{.type = flight::Descriptor::Type::kCommand,
                                      .command = ticket};
  auto what = ParseDescriptor(core_, descriptor);
  if (!what.ok()) return fail(std::move(what).error());
  if (const auto* path = std::get_if<command::PathRef>(&*what)) {
    auto made = path->generation ? nullptr : core_.parts.engine.own().At(path->path);
    if (made == nullptr) {
      auto found = tasks::FindPath(core_.parts.engine.store(), *path);
      if (!found.ok()) return fail(std::move(found).error());
      return open(*found);
    }
    what = command::Request(std::move(made));
  }
  if (!IsPlacement(*what)) return fail(NotAnInput());
  if (const auto known = core_.memo.Find(ticket); known && known->identity) {
    if (tasks::Authorise(*known->command, request->context().principal).ok()) {
      if (auto hit = core_.parts.engine.QuickHit(*known->command, *known->identity)) {
        core_.probe.memo_hits.Increment();
        return open(*hit);
      }
    }
  }
  auto patience = Patience::FromHeaders(*request->call(), core_.options.pollable_wait);
  if (!patience.ok()) return fail(std::move(patience).error());
  auto waiting = std::make_shared<InfoCall>(
      core_, request, *patience, InfoCall::Then::kStream,
      [this, fail, open](Result<InfoCall::Verdict> verdict, const tasks::Submission& submission) {
        if (!verdict.ok()) return fail(std::move(verdict).error());
        if (*verdict == InfoCall::Verdict::kPoll) return fail(PollError(core_, submission));
        open(submission);
      });
  waiting->Start(std::move(*what));
}

void Handler::DoPut(flight::CallPtr call, flight::Descriptor descriptor,
                    std::shared_ptr<arrow::Schema> schema,
                    flight::Reply<std::unique_ptr<flight::PutStream>> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  auto fail = [request = *request, reply](Error error) {
    reply(request->Failed(std::move(error)));
  };
  auto what = ParseDescriptor(core_, descriptor);
  if (!what.ok()) return fail(std::move(what).error());
  auto rule = CommitRule::FromHeaders(*call);
  if (!rule.ok()) return fail(std::move(rule).error());
  Sink sink;
  if (auto* path = std::get_if<command::PathRef>(&*what)) {
    sink.path = std::move(path->path);
  } else if (auto* target = std::get_if<command::SinkRef>(&*what)) {
    sink = std::move(target->sink);
    if (sink.reuse_given && sink.reuse != command::Reuse::kNever) return fail(NothingToReuse());
  } else if (const auto* command = std::get_if<tasks::CommandPtr>(&*what)) {
    return fail(Fail(Kind::kUnsupported, "service '" + (*command)->service +
                                             "' cannot be written to; put to a path or a "
                                             "{\"sink\": {…}}"));
  } else {
    return fail(Fail(Kind::kInvalid, "DoPut takes a path or {\"sink\": {…}}"));
  }
  core_.Post(
      [this, request = *request, reply, fail, rule = *rule, sink, schema] {
        auto upload = core_.parts.engine.OpenUpload(sink, schema, request->context());
        if (!upload.ok()) return fail(std::move(upload).error());
        reply(std::unique_ptr<flight::PutStream>(
            std::make_unique<UploadStream>(request, core_.probe, rule, std::move(*upload))));
      },
      fail);
}

void Handler::DoExchange(flight::CallPtr call, flight::Descriptor,
                         flight::Reply<std::monostate> reply) {
  auto request = core_.Open(call);
  if (!request.ok()) return reply(std::move(request).error());
  reply((*request)->Failed(Fail(Kind::kUnsupported,
                                "DoExchange is not supported by this version; put the input to a "
                                "path, then run the command over it")));
}

}  // namespace sheaf::endpoint
