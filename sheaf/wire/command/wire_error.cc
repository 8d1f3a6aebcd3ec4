#include "sheaf/wire/command/wire_error.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace sheaf::command {
namespace {

// At least so much of a message goes before details may claim the room.
constexpr size_t kMessageBytesSure = 1024;

// gRPC's and Arrow's status codes by their numbers; the tests compare them with the libraries.
enum Grpc : int32_t {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};
enum ArrowCode : int32_t {
  kArrowKeyError = 2,
  kArrowInvalid = 4,
  kArrowIoError = 5,
  kArrowCapacityError = 6,
  kArrowCancelled = 8,
  kArrowUnknownError = 9,
  kArrowNotImplemented = 10,
  kArrowAlreadyExists = 45,
};

constexpr std::array kKinds = {Kind::kInvalid,       Kind::kUnknownService, Kind::kMisplaced,
                               Kind::kInvalidTicket, Kind::kNotFound,       Kind::kConflict,
                               Kind::kUnsupported,   Kind::kFailed,         Kind::kCancelled,
                               Kind::kDeadline,      Kind::kResultGone,     Kind::kPoll,
                               Kind::kBackpressure,  Kind::kExhausted,      Kind::kUnauthenticated,
                               Kind::kForbidden,     Kind::kInternal,       Kind::kNotReady,
                               Kind::kShuttingDown,  Kind::kDependency,     Kind::kCorrupt};
static_assert(kKinds.size() == static_cast<size_t>(Kind::kCorrupt) + 1);

// One character of UTF-8 from the front of `text`; invalid bytes become U+FFFD one by one.
std::string TakeCharacter(std::string_view& text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xC2 ? 0
                      : lead < 0xE0 ? 2
                      : lead < 0xF0 ? 3
                      : lead < 0xF5 ? 4
                                    : 0;
  std::string character(text.substr(0, size));
  const bool whole = size > 0 && character.size() == size &&
                     std::all_of(character.begin() + 1, character.end(),
                                 [](char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; });
  // Overlong forms, surrogates and what lies above U+10FFFF.
  const uint8_t second = whole && size > 1 ? static_cast<uint8_t>(character[1]) : 0;
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  if (!whole || wrong) {
    text.remove_prefix(1);
    return "\xEF\xBF\xBD";
  }
  text.remove_prefix(size);
  return character;
}

// The text as the inside of a JSON string of at most `bytes_max` bytes, cut at a character.
std::string Escaped(std::string_view text, size_t bytes_max) {
  constexpr std::string_view kMore = "…";
  std::string out;
  size_t last_cut = 0;  // Where `kMore` still fits.
  while (!text.empty()) {
    const std::string quoted = Canonical(TakeCharacter(text));
    out += quoted.substr(1, quoted.size() - 2);
    if (out.size() > bytes_max) {
      out.resize(last_cut);
      if (out.size() + kMore.size() <= bytes_max) out += kMore;
      return out;
    }
    if (out.size() + kMore.size() <= bytes_max) last_cut = out.size();
  }
  return out;
}

std::optional<Kind> KindOf(const Json& code) {
  if (!code.is_string()) return std::nullopt;
  for (const Kind kind : kKinds) {
    if (ToWire(kind).name == code.get_ref<const std::string&>()) return kind;
  }
  return std::nullopt;
}

}  // namespace

WireCode ToWire(Kind kind) {
  switch (kind) {
    case Kind::kInvalid: return {100, "INVALID", kInvalidArgument, kArrowInvalid, "no", 400};
    case Kind::kUnknownService:
      return {101, "UNKNOWN_SERVICE", kInvalidArgument, kArrowInvalid, "no", 404};
    case Kind::kMisplaced: return {102, "MISPLACED", kUnavailable, kArrowIoError, "other", 421};
    case Kind::kInvalidTicket:
      return {103, "INVALID_TICKET", kInvalidArgument, kArrowInvalid, "no", 400};
    case Kind::kNotFound: return {104, "NOT_FOUND", kNotFound, kArrowKeyError, "no", 404};
    case Kind::kConflict: return {105, "CONFLICT", kAlreadyExists, kArrowAlreadyExists, "no", 409};
    case Kind::kUnsupported:
      return {106, "UNSUPPORTED", kUnimplemented, kArrowNotImplemented, "no", 501};
    case Kind::kFailed: return {200, "FAILED", kInternal, kArrowUnknownError, "no", 422};
    case Kind::kCancelled: return {201, "CANCELLED", Grpc::kCancelled, kArrowCancelled, "no", 499};
    case Kind::kDeadline: return {202, "DEADLINE", kDeadlineExceeded, kArrowIoError, "no", 504};
    case Kind::kResultGone: return {203, "RESULT_GONE", kNotFound, kArrowKeyError, "here", 410};
    case Kind::kPoll: return {300, "POLL", kDeadlineExceeded, kArrowIoError, "here", 202};
    case Kind::kBackpressure: return {301, "BACKPRESSURE", kUnavailable, kArrowIoError, "any", 503};
    case Kind::kExhausted:
      return {302, "EXHAUSTED", kResourceExhausted, kArrowCapacityError, "no", 507};
    case Kind::kUnauthenticated:
      return {400, "UNAUTHENTICATED", kUnauthenticated, kArrowIoError, "no", 401};
    case Kind::kForbidden: return {401, "FORBIDDEN", kPermissionDenied, kArrowIoError, "no", 403};
    case Kind::kInternal: return {500, "INTERNAL", kInternal, kArrowUnknownError, "other", 500};
    case Kind::kNotReady: return {501, "NOT_READY", kUnavailable, kArrowIoError, "any", 503};
    case Kind::kShuttingDown:
      return {502, "SHUTTING_DOWN", kUnavailable, kArrowIoError, "other", 503};
    case Kind::kDependency: return {503, "DEPENDENCY", kUnavailable, kArrowIoError, "any", 502};
    case Kind::kCorrupt: return {504, "CORRUPT", kDataLoss, kArrowIoError, "other", 500};
  }
  __builtin_unreachable();
}

std::string ErrorJson(const Error& error) {
  const WireCode wire = ToWire(error.kind);
  std::string details = "{}";
  std::string head = "{\"code\":\"" + std::string(wire.name) +
                     "\",\"number\":" + std::to_string(wire.number) + ",\"retry\":\"" +
                     std::string(wire.retry) + "\",";
  if (!error.details.empty()) {
    if (const auto parsed = ParseJson(error.details); parsed.ok() && parsed->is_object()) {
      details = Canonical(*parsed);
      const auto after = parsed->find("after_ms");
      if (after != parsed->end() && after->is_number_integer()) {
        head += "\"after_ms\":" + Canonical(*after) + ",";
      }
    }
  }
  head += error.effect == Effect::kUnknown ? "\"effect\":\"unknown\"," : "\"effect\":\"none\",";
  head += "\"message\":\"";
  constexpr std::string_view kBetween = "\",\"details\":";
  const size_t fixed = head.size() + kBetween.size() + 1;
  const size_t sure = std::min(error.message.size(), kMessageBytesSure);
  if (fixed + sure + details.size() > kErrorJsonBytesMax) details = "{}";
  const size_t room = kErrorJsonBytesMax - fixed - details.size();
  return head + Escaped(error.message, room) + std::string(kBetween) + details + "}";
}

Error ParseErrorJson(std::string_view text) {
  const auto parsed = ParseJson(text);
  if (!parsed.ok() || !parsed->is_object()) return Fail(Kind::kInternal, std::string(text));
  const Json& json = *parsed;
  const auto get = [&](const char* key) {
    const auto at = json.find(key);
    return at == json.end() ? Json() : *at;
  };
  const auto kind = KindOf(get("code"));
  const Json message = get("message");
  if (!kind || !message.is_string()) return Fail(Kind::kInternal, std::string(text));
  Error error = Fail(*kind, message.get<std::string>());
  if (get("effect") == "unknown") error.effect = Effect::kUnknown;
  Json details = get("details");
  if (!details.is_object()) details = Json::object();
  if (const Json after = get("after_ms"); after.is_number_integer()) {
    details.emplace("after_ms", after);
  }
  if (!details.empty()) error.details = Canonical(details);
  return error;
}

}  // namespace sheaf::command
