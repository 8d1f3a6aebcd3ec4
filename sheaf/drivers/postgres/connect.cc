// Connecting: once, and again until a deadline.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "sheaf/base/core/check.h"
#include "sheaf/drivers/postgres/connection.h"

namespace sheaf::postgres {
namespace {

// The code at the end of what libpq says when it was told to say the codes of errors.
std::string CodeIn(std::string_view said) {
  constexpr size_t kCode = 5;
  while (!said.empty() && said.back() == '\n') said.remove_suffix(1);
  if (said.size() < kCode + 2 || said[said.size() - kCode - 1] != ' ') return {};
  const std::string_view code = said.substr(said.size() - kCode);
  const bool plausible = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  return plausible ? std::string(code) : std::string();
}

std::string MillisecondsOf(Duration wait) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

}  // namespace

Result<std::string> WhereOf(const std::string& url) {
  // Libpq's own words may hold the password.
  const Error malformed = Fail(Kind::kInvalid, "the URL of the PostgreSQL database is malformed");
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return malformed;
  char* why = nullptr;
  auto* const options = ::PQconninfoParse(url.c_str(), &why);
  if (why != nullptr) ::PQfreemem(why);
  if (options == nullptr) return malformed;
  std::string user, host, port, database;
  for (const auto* each = options; each->keyword != nullptr; ++each) {
    if (each->val == nullptr) continue;
    const std::string_view keyword = each->keyword;
    if (keyword == "user") user = std::string(each->val) + "@";
    if (keyword == "host") host = each->val;
    if (keyword == "port") port = std::string(":") + each->val;
    if (keyword == "dbname") database = each->val;
  }
  ::PQconninfoFree(options);
  return "postgresql://" + user + host + port + "/" + database;
}

Result<std::unique_ptr<Connection>> Connection::Open(ConnectOptions options,
                                                     Surroundings surroundings) {
  SHEAF_ASSIGN(std::string where, WhereOf(options.url));
  std::unique_ptr<Connection> connection(
      new Connection(std::move(options), std::move(surroundings), std::move(where)));
  SHEAF_TRY(connection->Revive());
  return connection;
}

Status Connection::Revive() {
  const auto deadline = Deadline::After(surroundings_.clock, options_.retry_deadline);
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
  const char* const keywords[] = {"dbname", "fallback_application_name", "client_encoding",
                                  nullptr};
  const char* const values[] = {options_.url.c_str(), "sheaf", "UTF8", nullptr};
  handle_ = ::PQconnectStartParams(keywords, values, 1);
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
  const Meaning meaning = MeaningOf(sqlstate_, Phase::kConnecting);
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
  return Done();
}

}  // namespace sheaf::postgres
