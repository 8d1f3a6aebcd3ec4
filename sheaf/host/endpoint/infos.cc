#include "sheaf/host/endpoint/infos.h"

#include <algorithm>
#include <utility>

#include "sheaf/host/tasks/local_flights.h"

namespace sheaf::endpoint {
namespace {

std::string SealPath(const Core& core, const flights::Context& context, const Path& path,
                     uint64_t generation, uint32_t partition) {
  return core.box.Seal({.node = core.self(),
                        .generation = generation,
                        .partition = partition,
                        .path = path,
                        .principal = context.principal});
}

Error Misplaced(const Core& core, const NodeId& node) {
  Json locations = Json::array();
  for (const auto& known : core.parts.cluster.membership().Nodes()) {
    if (known.id == node) locations.push_back(known.flight_uri);
  }
  return Fail(Kind::kMisplaced, "this ticket belongs to another node",
              Json{{"locations", std::move(locations)}}.dump());
}

// As path.ToJson().dump() would be.
void AppendPath(const Path& path, std::string& text) {
  char before = '[';
  for (const auto& part : path.parts()) {
    text += std::exchange(before, ',');
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return c >= ' ' && c < '\x7F' && c != '"' && c != '\\';
    });
    if (plain) {
      text.append(1, '"').append(part).append(1, '"');
    } else {
      text += Json(part).dump();
    }
  }
  text += ']';
}

// Written out: as a Json object it would cost as much as the rest of the answer.
std::string MetadataOf(const Path& path, const cluster::CatalogEntry& entry) {
  std::string text;
  text.reserve(512);
  text.append(R"({"created":")").append(ToText(entry.created)).append(R"(","expires":)");
  text += entry.expires.has_value() ? '"' + ToText(*entry.expires) + '"' : "null";
  text += R"(,"generation":)" + std::to_string(entry.generation);
  text += R"(,"hit":true,"identity":")" + entry.identity.Hex();
  text += R"(","path":)";
  AppendPath(path, text);
  text += entry.pinned ? R"(,"pinned":true)" : R"(,"pinned":false)";
  text += R"(,"task":null,"tier":")";
  return text.append(command::TierName(entry.tier)) + "\"}";
}

// True for the bytes of a google.protobuf.Any: field 1, a type URL.
bool LooksLikeAny(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x0a' &&
         bytes.find("type.googleapis.com/") != std::string_view::npos;
}

}  // namespace

Result<flight::Info> InfoOf(Core& core, const flights::Context& context,
                            const tasks::Submission& submission, flight::Descriptor descriptor) {
  flight::Info info;
  info.descriptor = std::move(descriptor);
  info.ordered = true;
  info.app_metadata = core.parts.engine.Metadata(submission).dump();
  if (submission.hit.has_value()) {
    const auto& [record, flight] = *submission.hit;
    SHEAF_ASSIGN(info.schema, core.schemas.Message(flight->schema()));
    info.rows = record->rows;
    info.bytes = record->bytes;
    for (uint32_t part = 0; part < flight->partitions(); ++part) {
      info.endpoints.push_back(
          {.ticket = SealPath(core, context, record->path, record->generation, part),
           .expires = record->goes()});
    }
    return info;
  }
  SHEAF_ASSIGN(const auto flight, core.parts.engine.FlightOf(submission));
  SHEAF_ASSIGN(info.schema, core.schemas.Message(flight->schema()));
  if (flight->complete()) {
    info.rows = flight->size().rows;
    info.bytes = flight->size().bytes;
  }
  const auto expires = core.parts.engine.ExpiresAt(submission);
  const Path sink = core.parts.engine.SinkOf(submission);
  for (uint32_t part = 0; part < flight->partitions(); ++part) {
    info.endpoints.push_back({.ticket = core.box.Seal({.node = core.self(),
                                                       .generation = flight->generation(),
                                                       .partition = part,
                                                       .path = sink,
                                                       .task = submission.run->id,
                                                       .interest = submission.interest,
                                                       .principal = context.principal}),
                              .expires = expires});
  }
  return info;
}

Result<flight::Info> InfoOfEntry(Core& core, const flights::Context& context, const Path& path,
                                 const cluster::CatalogEntry& entry,
                                 flight::Descriptor descriptor) {
  flight::Info info;
  info.descriptor = std::move(descriptor);
  SHEAF_ASSIGN(info.schema, core.schemas.Message(entry.schema));
  info.rows = entry.rows;
  info.bytes = entry.bytes;
  info.ordered = true;
  if (core.parts.engine.own().At(path) != nullptr) {
    // Made when the ticket is used: it says what, and nothing of when.
    info.endpoints.push_back({.ticket = Json{{"path", path.ToJson()}}.dump()});
    info.app_metadata = tasks::OwnMetadata(path).dump();
    return info;
  }
  for (uint32_t part = 0; part < entry.partitions; ++part) {
    info.endpoints.push_back(
        {.ticket = SealPath(core, context, path, entry.generation, part), .expires = entry.goes()});
  }
  info.app_metadata = MetadataOf(path, entry);
  return info;
}

Result<flight::Info> InfoOfPath(Core& core, const flights::Context& context, const Path& path,
                                flight::Descriptor descriptor) {
  const auto entry = core.parts.cluster.catalog().Lookup(path);
  const bool expired =
      entry.has_value() && entry->goes().has_value() && *entry->goes() <= core.clock().Wall();
  if (!entry.has_value() || expired) {
    return Fail(Kind::kNotFound, "no flight at '" + path.Text() +
                                     "'; list what is there with ListFlights or `sheaf ls`");
  }
  return InfoOfEntry(core, context, path, *entry, std::move(descriptor));
}

Result<command::Request> ParseCommandBytes(std::string_view bytes) {
  if (!bytes.empty() && bytes.front() == '{') return command::ParseRequest(bytes);
  if (LooksLikeAny(bytes)) {
    return Fail(Kind::kUnsupported,
                "Flight SQL commands are not supported by this version; send "
                "a JSON command: {\"service\": \"sql\", …}");
  }
  return Fail(Kind::kInvalid,
              "a command is JSON and begins with '{': {\"service\": …, \"spec\": {…}}");
}

Result<command::Request> ParseDescriptor(Core& core, const flight::Descriptor& descriptor) {
  switch (descriptor.type) {
    case flight::Descriptor::Type::kPath: {
      SHEAF_ASSIGN(auto path, Path::Make(descriptor.path));
      return command::Request(command::PathRef{std::move(path), std::nullopt});
    }
    case flight::Descriptor::Type::kCommand: {
      if (auto known = core.memo.Find(descriptor.command)) {
        return command::Request(std::move(known->command));
      }
      SHEAF_ASSIGN(auto request, ParseCommandBytes(descriptor.command));
      if (const auto* parsed = std::get_if<tasks::CommandPtr>(&request)) {
        Remembered remembered{*parsed, std::nullopt};
        if (command::InputPaths(**parsed).empty()) {
          remembered.identity = command::IdentityOf(**parsed, {});
        }
        core.memo.Keep(descriptor.command, std::move(remembered));
      }
      return request;
    }
    case flight::Descriptor::Type::kUnknown: break;
  }
  return Fail(Kind::kInvalid, "the descriptor is neither a path nor a command");
}

Result<Ticketed> OpenTicket(Core& core, const flights::Context& context, std::string_view bytes) {
  SHEAF_ASSIGN(const command::Ticket ticket, core.box.Open(bytes));
  if (ticket.node != core.self()) return Misplaced(core, ticket.node);
  if (ticket.principal != context.principal) {
    return Fail(Kind::kForbidden, "this ticket was given to another principal");
  }
  Ticketed ticketed;
  ticketed.partition = ticket.partition;
  if (!ticket.task.empty()) {
    auto running = core.parts.engine.Find(ticket.task, ticket.interest, ticket.generation);
    if (running.ok()) {
      ticketed.submission = std::move(running).value();
      return ticketed;
    }
    // The run is forgotten; a result with a sink lives on under its path.
    if (ticket.path.empty() || running.error().kind != Kind::kResultGone) {
      return std::move(running).error();
    }
  }
  auto found = tasks::FindPath(core.parts.engine.store(), {ticket.path, ticket.generation});
  if (!found.ok()) {
    // The ticket was good once: what it named is gone.
    if (found.error().kind == Kind::kCorrupt) return std::move(found).error();
    return Fail(Kind::kResultGone, "generation " + std::to_string(ticket.generation) + " of '" +
                                       ticket.path.Text() + "' is no longer kept; ask again");
  }
  ticketed.submission = std::move(found).value();
  return ticketed;
}

}  // namespace sheaf::endpoint
