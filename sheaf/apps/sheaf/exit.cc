#include "sheaf/apps/sheaf/exit.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/apps/sheaf/text.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::app {
namespace {

int64_t AfterMs(const Error& error) {
  const Json details = Json::parse(error.details, nullptr, /*allow_exceptions=*/false);
  if (!details.is_object() || !details.contains("after_ms")) return 0;
  return details["after_ms"].is_number() ? details["after_ms"].get<int64_t>() : 0;
}

std::string Again(const Error& error) {
  const int64_t after = AfterMs(error);
  return after > 0 ? "try again in " + Seconds(std::chrono::milliseconds(after)) : "try again";
}

// Where the message itself does not name the way out.
std::string WayOut(const Error& error) {
  if (flights::IsUnreachable(error)) {
    return "is the server running? `sheaf serve` starts one, --server says where it is";
  }
  if (error.effect == Effect::kUnknown) {
    return "it may have been done: look with `sheaf ls` before you try again";
  }
  switch (error.kind) {
    case Kind::kBackpressure:
    case Kind::kNotReady: return Again(error);
    case Kind::kShuttingDown: return "ask another node, or this one after its restart";
    case Kind::kMisplaced: return "ask one of the nodes it names";
    case Kind::kResultGone: return "run the command again; --sink keeps its result";
    case Kind::kDeadline: return "give it more time with --timeout or --deadline";
    case Kind::kDependency: return "what it names is down or unreachable; " + Again(error);
    case Kind::kUnauthenticated: return "give a token: --token-file, or SHEAF_TOKEN";
    case Kind::kInternal: return "this is a defect of the server; its log has more";
    case Kind::kCorrupt:
      return "the data is damaged: put an upload again, or run its command again";
    case Kind::kNotFound: return "`sheaf ls` shows what is there";
    case Kind::kInvalid:
    case Kind::kUnknownService:
    case Kind::kInvalidTicket:
    case Kind::kConflict:
    case Kind::kUnsupported:
    case Kind::kFailed:
    case Kind::kCancelled:
    case Kind::kPoll:
    case Kind::kExhausted:
    case Kind::kForbidden: return "";
  }
  __builtin_unreachable();
}

// Escapes every line, keeps the breaks: messages of SQL errors are drawn over several lines.
std::string PrintableLines(std::string_view text) {
  std::string out;
  while (true) {
    const size_t end = text.find('\n');
    out += Printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += "\n";
    text.remove_prefix(end + 1);
  }
}

std::string Said(const Error& error) {
  return "sheaf: " + std::string(command::ToWire(error.kind).name) + ": " +
         PrintableLines(error.message);
}

}  // namespace

std::string ExitCodesHelp() {
  return "Exit codes: 0 done · 1 the server said no · 2 wrong flags or configuration ·\n"
         "3 state directory in use or damaged · 4 cannot connect or listen · 130 interrupted, 143 "
         "terminated";
}

std::string ErrorText(const Error& error) {
  std::string text = Said(error);
  const std::string way = WayOut(error);
  const bool said = error.message.find("`sheaf ") != std::string::npos;  // By the server itself.
  if (!way.empty() && !said) text += "\n       " + way;
  return text;
}

int ExitOf(const Error& error) {
  return flights::IsUnreachable(error) ? kExitConnection : kExitRefused;
}

int Report(const Error& error) {
  std::fprintf(stderr, "%s\n", ErrorText(error).c_str());
  return ExitOf(error);
}

int ReportHere(const Error& error) {
  const bool unknown = error.effect == Effect::kUnknown;
  std::fprintf(stderr, "%s\n%s", Said(error).c_str(),
               unknown ? "       it may have been done: look before you try again\n" : "");
  return ExitOf(error);
}

int FlushOutput(int code) {
  // Not both in one condition: the flush must be tried, and its errno told.
  const bool lost = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !lost) return code;
  if (code != kExitOk) return code;
  return Report(Fail(Kind::kFailed,
                     "cannot write to standard output: " + std::generic_category().message(errno)));
}

int ReportUsage(const Error& error) {
  std::fprintf(stderr, "sheaf: %s\n", PrintableLines(error.message).c_str());
  return kExitUsage;
}

}  // namespace sheaf::app
