// Connecting: once, and again until a deadline.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "sheaf/base/core/check.h"
#include "sheaf/drivers/postgres/connection.h"

namespace sheaf::postgres {
namespace {

// The code in what libpq says when it was told to say the codes of errors: at the end of a line,
// the last one that has one. Behind it libpq may say which file a password came from.
std::string CodeIn(std::string_view said) {
  constexpr size_t kCode = 5;
  while (!said.empty()) {
    while (!said.empty() && said.back() == '\n') said.remove_suffix(1);
    const size_t begins = said.rfind('\n') + 1;  // 0 when there is but one line.
    const std::string_view line = said.substr(begins);
    said = said.substr(0, begins);
    if (line.size() < kCode + 2 || line[line.size() - kCode - 1] != ' ') continue;
    const std::string_view code = line.substr(line.size() - kCode);
    const bool plausible = std::all_of(code.begin(), code.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (plausible) return std::string(code);
  }
  return {};
}

// What a URL says, keyword by keyword.
Result<std::map<std::string, std::string>> OptionsIn(const std::string& url) {
  // Libpq's own words may hold the password.
  const Error malformed = Fail(Kind::kInvalid, "the URL of the PostgreSQL database is malformed");
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return malformed;
  char* why = nullptr;
  auto* const options = ::PQconninfoParse(url.c_str(), &why);
  if (why != nullptr) ::PQfreemem(why);
  if (options == nullptr) return malformed;
  std::map<std::string, std::string> said;
  for (const auto* each = options; each->keyword != nullptr; ++each) {
    if (each->val != nullptr) said[each->keyword] = each->val;
  }
  ::PQconninfoFree(options);
  return said;
}

std::string MillisecondsOf(Duration wait) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

}  // namespace

Result<std::string> WhereOf(const std::string& url, const std::string& user) {
  SHEAF_ASSIGN(auto said, OptionsIn(url));
  if (!user.empty()) said["user"] = user;
  const std::string who = said["user"].empty() ? "" : said["user"] + "@";
  const std::string port = said["port"].empty() ? "" : ":" + said["port"];
  return "postgresql://" + who + said["host"] + port + "/" + said["dbname"];
}

std::string UrlEscaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Result<std::string> UrlFor(const std::string& url, const std::string& user) {
  SHEAF_ASSIGN(auto said, OptionsIn(url));
  std::string out = "postgresql://" + UrlEscaped(user) + "@/" + UrlEscaped(said["dbname"]);
  char sign = '?';
  for (const auto& [keyword, value] : said) {
    if (keyword == "user" || keyword == "password" || keyword == "dbname") continue;
    if (value.empty()) continue;
    out += sign + UrlEscaped(keyword) + "=" + UrlEscaped(value);
    sign = '&';
  }
  return out;
}

Result<Named> NamedIn(const std::string& url) {
  SHEAF_ASSIGN(auto said, OptionsIn(url));
  return Named{said["user"], said["dbname"], !said["password"].empty()};
}

Result<std::unique_ptr<Connection>> Connection::Open(ConnectOptions options,
                                                     Surroundings surroundings) {
  SHEAF_ASSIGN(std::string where, WhereOf(options.url, options.user));
  std::unique_ptr<Connection> connection(
      new Connection(std::move(options), std::move(surroundings), std::move(where)));
  SHEAF_TRY(connection->ConnectUntil(connection->options_.retry_deadline));
  return connection;
}

Status Connection::Revive() {
  return ConnectUntil(options_.revive_deadline.value_or(options_.retry_deadline));
}

Status Connection::ConnectUntil(Duration wait) {
  const auto deadline = Deadline::After(surroundings_.clock, wait);
  Duration span = options_.retry_first;
  while (lost()) {
    Status connected = ConnectOnce();
    if (connected.ok()) break;
    Drop();
    if (!MayComeBack(sqlstate_)) return connected;
    const Duration left = deadline.Left(surroundings_.clock.Now());
    if (left <= Duration(0)) return connected;
    const auto part = std::chrono::duration_cast<Duration>(span * surroundings_.chance());
    if (!surroundings_.wait(std::min(left, part)).ok()) return connected;
    span = std::min(span * 2, options_.retry_longest);
  }
  return Done();
}

Status Connection::ConnectOnce() {
  std::vector<const char*> keywords, values;
  const auto add = [&](const char* keyword, const std::string& value) {
    if (value.empty()) return;
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  const std::string application = "sheaf", encoding = "UTF8";
  add("passfile", options_.passfile);  // Before the URL, which may name another.
  add("dbname", options_.url);
  add("user", options_.user);
  add("dbname", options_.database);
  add("password", options_.password);
  add("fallback_application_name", application);
  add("client_encoding", encoding);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  handle_ = ::PQconnectStartParams(keywords.data(), values.data(), 1);
  SHEAF_CHECK(handle_ != nullptr);  // Memory.
  ::PQsetErrorVerbosity(handle_, PQERRORS_SQLSTATE);
  ::PQsetNoticeReceiver(
      handle_, [](void*, const pg_result*) {}, nullptr);
  SHEAF_TRY(AwaitConnected(Deadline::After(surroundings_.clock, options_.connect_wait)));
  ::PQsetErrorVerbosity(handle_, PQERRORS_DEFAULT);
  return SetUp();
}

Error Connection::Refused() {
  sqlstate_ = CodeIn(::PQerrorMessage(handle_));
  // Libpq says it by itself, without a code.
  if (::PQconnectionNeedsPassword(handle_) != 0) {
    sqlstate_ = "28P01";
    return Fail(Kind::kUnauthenticated,
                where_ + ": the server demands a password and none was given for this user: in " +
                    "the URL, in PGPASSWORD or in a password file",
                R"({"sqlstate":"28P01"})");
  }
  if (sqlstate_ == "28P01") {
    return Fail(Kind::kUnauthenticated, where_ + ": the server refuses this user or its password",
                R"({"sqlstate":"28P01"})");
  }
  const Meaning meaning = MeaningOf(sqlstate_, Phase::kConnecting);
  if (sqlstate_ == "3D000") {
    return Fail(meaning.kind, where_ + ": the server has no database of this name",
                R"({"sqlstate":"3D000"})");
  }
  if (sqlstate_.empty()) return Fail(meaning.kind, where_ + ": nobody answers there");
  return Fail(meaning.kind, where_ + ": the server refuses, SQLSTATE " + sqlstate_,
              R"({"sqlstate":")" + sqlstate_ + R"("})");
}

Status Connection::AwaitConnected(Deadline deadline) {
  auto state = PGRES_POLLING_WRITING;
  while (::PQstatus(handle_) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
    int happened = 0;
    if (!Poll(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, &happened)) {
      sqlstate_.clear();
      return Fail(Kind::kDependency, where_ + ": no connection within the time for one");
    }
    state = ::PQconnectPoll(handle_);
    if (state == PGRES_POLLING_FAILED) break;
  }
  if (state != PGRES_POLLING_OK) return Refused();
  return Done();
}

Status Connection::SetUp() {
  const char* encoding = ::PQparameterStatus(handle_, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    sqlstate_ = "0A000";
    return Fail(Kind::kUnsupported, where_ + ": the database's encoding is not UTF8");
  }
  if (::PQsetnonblocking(handle_, 1) != 0 || ::PQenterPipelineMode(handle_) != 1) {
    return Lost(Phase::kConnecting, "the connection cannot be used");
  }
  {
    MutexLock lock(mutex_);
    cancel_ = ::PQgetCancel(handle_);
  }
  const std::string statement = MillisecondsOf(options_.statement_timeout);
  const std::string idle = MillisecondsOf(options_.idle_timeout);
  const Value values[] = {std::string_view(statement), std::string_view(idle)};
  const Sql settings(
      "SELECT set_config('statement_timeout', $1, false), "
      "set_config('idle_in_transaction_session_timeout', $2, false), "
      "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
      "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)");
  SHEAF_TRY(Query(settings, values));
  if (options_.role.empty()) return Done();
  const Value role[] = {std::string_view(options_.role)};
  SHEAF_TRY(Query(Sql("SELECT set_config('role', $1, false)"), role));
  return Done();
}

Result<std::string> Connection::Verifier(const std::string& user, const std::string& password) {
  if (lost()) return Fail(Kind::kDependency, where_ + ": the connection was lost before");
  char* made = ::PQencryptPasswordConn(handle_, password.c_str(), user.c_str(), "scram-sha-256");
  if (made == nullptr) return Fail(Kind::kInternal, "libpq makes no SCRAM verifier");
  std::string verifier = made;
  ::PQfreemem(made);
  return verifier;
}

}  // namespace sheaf::postgres
