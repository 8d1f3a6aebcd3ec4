#include "sheaf/apps/sheaf/python.h"

#include <vector>

namespace sheaf::app {
namespace {

constexpr const char* kHead =
    "import json\n"
    "import pyarrow as pa\n"
    "import pyarrow.flight as fl\n\n";
constexpr const char* kRead =
    "print(json.loads(info.app_metadata))\n"
    "table = pa.concat_tables(\n"
    "    [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints])\n";

std::string Quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON's escapes are Python's; text of several lines becomes several literals.
std::string TextLiteral(const std::string& text, const std::string& indent) {
  if (text.find('\n') == std::string::npos) return Quoted(text);
  std::string out = "(";
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size() - 1) + 1;
    if (from > 0) out += "\n" + indent + " ";
    out += Quoted(text.substr(from, end - from));
    from = end;
  }
  return out + ")";
}

std::string Literal(const Json& json, const std::string& indent);

template <typename Each>
std::string Lines(char open, char close, const Json& json, const std::string& indent, Each each) {
  std::string out(1, open);
  const std::string inner = indent + "    ";
  for (auto item = json.begin(); item != json.end(); ++item) {
    out += "\n" + inner + each(item, inner) + ",";
  }
  return out + "\n" + indent + close;
}

bool IsFlat(const Json& json) {
  for (const Json& item : json) {
    if (item.is_structured() || (item.is_string() && item.dump().size() > 40)) return false;
  }
  return json.size() <= 8;
}

std::string Literal(const Json& json, const std::string& indent) {
  if (json.is_null()) return "None";
  if (json.is_boolean()) return json.get<bool>() ? "True" : "False";
  if (json.is_string()) return TextLiteral(json.get<std::string>(), indent);
  if (!json.is_structured()) return command::Canonical(json);
  if (json.is_array() && IsFlat(json)) {
    std::string out = "[";
    for (const Json& item : json) out += (out.size() > 1 ? ", " : "") + Literal(item, indent);
    return out + "]";
  }
  if (json.is_array()) {
    return Lines('[', ']', json, indent,
                 [](auto item, const std::string& inner) { return Literal(*item, inner); });
  }
  if (json.empty()) return "{}";
  if (json.size() == 1 && !json.front().is_object() && json.dump().size() < 60 &&
      json.dump().find("\\n") == std::string::npos) {
    return "{" + Quoted(json.begin().key()) + ": " + Literal(json.front(), indent) + "}";
  }
  return Lines('{', '}', json, indent, [](auto item, const std::string& inner) {
    return Quoted(item.key()) + ": " + Literal(item.value(), inner);
  });
}

std::string Connect(const std::string& server) {
  return "client = fl.connect(" + Quoted(server) + ")\n";
}

}  // namespace

std::string QueryAsPython(const std::string& server, const Json& command) {
  return kHead + Connect(server) + "command = " + Literal(command, "") +
         "\ndescriptor = fl.FlightDescriptor.for_command(json.dumps(command))\n"
         "info = client.get_flight_info(descriptor)\n" +
         kRead + "print(table)\n";
}

std::string GetAsPython(const std::string& server, const command::PathRef& what,
                        const std::vector<std::string>& columns) {
  std::string text = kHead + Connect(server);
  if (what.generation.has_value()) {
    text += "ticket = fl.Ticket(json.dumps(" + Literal(command::ToJson(what), "") + "))\n" +
            "table = client.do_get(ticket).read_all()\n";
  } else {
    std::string parts;
    for (const auto& part : what.path.parts()) parts += (parts.empty() ? "" : ", ") + Quoted(part);
    text += "info = client.get_flight_info(fl.FlightDescriptor.for_path(" + parts + "))\n" + kRead;
  }
  if (!columns.empty()) text += "table = table.select(" + Literal(Json(columns), "") + ")\n";
  return text + "print(table)\n";
}

}  // namespace sheaf::app
