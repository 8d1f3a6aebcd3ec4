#include "sheaf/apps/sheaf/flight_words.h"

#include <cstdio>

#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

std::string PathText(const Json& json) {
  const auto path = Path::FromJson(json, "path");
  return path.ok() ? path->Text() : json.dump();
}

std::string InputsText(const Json& inputs) {
  std::string text;
  for (const Json& input : inputs) {
    if (!input.is_object()) continue;
    if (!text.empty()) text += ", ";
    text += input.value("name", "") + " = " + PathText(input.value("path", Json())) +
            " generation " + input.value("generation", Json()).dump();
  }
  return text;
}

// A value of the record for people.
std::string Words(const std::string& key, const Json& value) {
  if (value.is_null()) return key == "expires" ? "never" : "";
  if (key == "path") return PathText(value);
  if (key == "inputs") return InputsText(value);
  if (key == "rows" && value.is_number_integer()) return Grouped(value.get<int64_t>());
  if (key == "bytes" && value.is_number_integer()) {
    return core::ToText(Bytes{value.get<int64_t>()}) + " (" + Grouped(value.get<int64_t>()) + ")";
  }
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string FlightWords(const Json& flight) {
  constexpr size_t kNames = 11;
  std::string out;
  // Known keys first and in this order; whatever else a newer server says comes after them.
  Json rest = flight;
  rest.erase("command");
  const auto add = [&](const std::string& key) {
    if (!rest.contains(key)) return;
    const std::string words = Printable(Words(key, rest[key]));
    rest.erase(key);
    if (!words.empty()) out += Pad(key, kNames, Align::kLeft) + " " + words + "\n";
  };
  for (const char* key : {"path", "generation", "rows", "bytes", "partitions", "tier", "durable",
                          "pinned", "created", "expires", "principal", "identity", "inputs"}) {
    add(key);
  }
  std::vector<std::string> more;
  for (const auto& [key, value] : rest.items()) more.push_back(key);
  for (const std::string& key : more) add(key);
  if (!flight.contains("command") || !flight["command"].is_object()) {
    return out + Pad("command", kNames, Align::kLeft) + " none: it was uploaded\n";
  }
  return out + "command\n" + flight["command"].dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

void AddPathFlags(Command& command, PathFlags& flags) {
  command.Text("PATH", flags.path, "namespace/name")
      .Required()
      .Number("--generation", flags.generation, 0, INT64_MAX, "Only if it has this generation")
      .Flag("--json", flags.json, "The answer as JSON");
  AddConnection(command, flags.connect, ConnectFlags::Otherwise::kDefaultServer);
}

Result<Json> PathBody(const PathFlags& flags) {
  SHEAF_ASSIGN(const Path path, ParsePath(flags.path));
  Json body{{"path", path.ToJson()}};
  if (flags.generation >= 0) body["generation"] = flags.generation;
  if (!flags.ttl.empty()) {
    SHEAF_ASSIGN(const Duration ttl, ParseDuration(flags.ttl));
    body["ttl_s"] = std::chrono::duration_cast<std::chrono::seconds>(ttl).count();
  }
  return body;
}

int AskAboutPath(const PathFlags& flags, std::string_view action, const Json& more,
                 const std::string& done) {
  auto body = PathBody(flags);
  if (!body.ok()) return ReportUsage(body.error());
  body->update(more);
  return WithSession(
      flags.connect, ConnectFlags::Otherwise::kDefaultServer, {}, [&](Session& session) -> Status {
        SHEAF_ASSIGN(const Json answer, session.Ask(action, *body));
        std::string text = answer.dump() + "\n";
        if (!flags.json) {
          text = answer.contains("generation") ? FlightWords(answer)
                                               : Printable(flags.path) + ": " + done + "\n";
        }
        std::fputs(text.c_str(), stdout);
        return Done();
      });
}

}  // namespace sheaf::app
