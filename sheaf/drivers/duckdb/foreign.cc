#include "sheaf/drivers/duckdb/foreign.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "sheaf/drivers/duckdb/errors.h"

namespace sheaf::duckdb {
namespace {

bool DiskIsFull(const ddb::ErrorData& data) {
  const auto found = data.ExtraInfo().find("errno");
  return found != data.ExtraInfo().end() && found->second == std::to_string(ENOSPC);
}

Kind KindOf(const ddb::ErrorData& data) {
  switch (data.Type()) {
    case ddb::ExceptionType::IO: return DiskIsFull(data) ? Kind::kExhausted : Kind::kFailed;
    case ddb::ExceptionType::PERMISSION: return Kind::kForbidden;
    case ddb::ExceptionType::OUT_OF_MEMORY: return Kind::kExhausted;
    case ddb::ExceptionType::INTERRUPT: return Kind::kCancelled;
    default: return Kind::kFailed;
  }
}

}  // namespace

Error FromDuckDb(const ddb::ErrorData& data, std::string_view sql) {
  const std::string type = ddb::Exception::ExceptionTypeToString(data.Type());
  std::string raw = data.RawMessage();
  // Advice to change settings is not for who sends SQL; stack traces are for nobody.
  for (const std::string_view tail :
       {"\n\nStack Trace", "\nStack Trace", "\nLINE ", "\n\nPossible solutions"}) {
    if (const size_t at = raw.find(tail); at != std::string::npos) raw.resize(at);
  }
  if (const size_t at = raw.find("\n\nPlease try installing"); at != std::string::npos) {
    raw.replace(at, std::string::npos, " Extensions are not loaded here.");
  }
  if (data.Type() == ddb::ExceptionType::OUT_OF_MEMORY)
    raw.resize(std::min(raw.find('\n'), raw.size()));
  std::optional<size_t> position;
  if (const auto found = data.ExtraInfo().find("position"); found != data.ExtraInfo().end()) {
    char* end = nullptr;
    const auto value = std::strtoull(found->second.c_str(), &end, 10);
    if (end != found->second.c_str()) position = value;
  }
  return SqlError(KindOf(data), type + " Error: " + raw, sql, position);
}

Error FromDuckDb(const std::exception& thrown, std::string_view sql) {
  return FromDuckDb(ddb::ErrorData(thrown), sql);
}

}  // namespace sheaf::duckdb
