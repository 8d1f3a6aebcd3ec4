#include "sheaf/drivers/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sheaf/base/core/check.h"

namespace sheaf::postgres {
namespace {

// As many as a program has, with room; more than that come from statements with numbers in them.
constexpr size_t kPreparedMax = 512;
// What the server needs to say that a statement took too long.
constexpr Duration kGrace = std::chrono::seconds(5);

std::string_view Field(const pg_result* result, int code) {
  const char* text = ::PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

// Arrays as libpq wants them; borrows from the statement.
struct Connection::Bound {
  std::vector<Encoded> encoded;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;

  static Result<Bound> Of(std::span<const Value> values, const std::vector<TypeId>& types) {
    SHEAF_CHECK(values.size() == types.size());
    Bound bound;
    bound.encoded.reserve(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      SHEAF_ASSIGN(Encoded encoded, Encode(values[i], types[i]));
      bound.encoded.push_back(std::move(encoded));
    }
    for (const Encoded& each : bound.encoded) {
      const std::string_view bytes = each.bytes();
      if (bytes.size() > INT32_MAX) return Fail(Kind::kExhausted, "a value of more than 2 GiB");
      const char* data = bytes.data() == nullptr ? "" : bytes.data();
      bound.values.push_back(each.null ? nullptr : data);
      bound.lengths.push_back(static_cast<int>(bytes.size()));
      bound.formats.push_back(1);
    }
    return bound;
  }
};

void Rows::Clear::operator()(pg_result* result) const { ::PQclear(result); }
size_t Rows::size() const { return static_cast<size_t>(::PQntuples(result_.get())); }
size_t Rows::columns() const { return static_cast<size_t>(::PQnfields(result_.get())); }
std::string_view Rows::tag() const { return ::PQcmdStatus(result_.get()); }

int64_t Rows::changed() const {
  const std::string_view text = ::PQcmdTuples(result_.get());
  int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Result<Value> Rows::At(size_t row, size_t column) const {
  const int r = static_cast<int>(row), c = static_cast<int>(column);
  if (::PQgetisnull(result_.get(), r, c) != 0) return Value(Null{});
  const std::string_view bytes(::PQgetvalue(result_.get(), r, c),
                               static_cast<size_t>(::PQgetlength(result_.get(), r, c)));
  return Decode(bytes, ::PQftype(result_.get(), c));
}

Connection::~Connection() { Drop(); }

void Connection::Drop() {
  {
    MutexLock lock(mutex_);
    if (cancel_ != nullptr) ::PQfreeCancel(std::exchange(cancel_, nullptr));
  }
  if (handle_ != nullptr) ::PQfinish(std::exchange(handle_, nullptr));
  prepared_.clear();
}

Phase Connection::PhaseNow() const {
  const auto status = handle_ == nullptr ? PQTRANS_IDLE : ::PQtransactionStatus(handle_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR ? Phase::kInTransaction
                                                                : Phase::kCommitting;
}

Error Connection::Lost(Phase phase, std::string_view why) {
  Drop();
  sqlstate_.clear();
  const Meaning meaning = MeaningOf({}, phase);
  return Error{meaning.kind, meaning.effect, where_ + ": " + std::string(why), {}};
}

Error Connection::Failed(const pg_result* result, Phase phase) {
  sqlstate_ = Field(result, PG_DIAG_SQLSTATE);
  // Without a code it is libpq's own: the connection is gone.
  if (sqlstate_.empty()) return Lost(phase, "the connection was lost");
  Meaning meaning = MeaningOf(sqlstate_, phase);
  if (sqlstate_ == "57014" && cancelled_) meaning.kind = Kind::kCancelled;
  nlohmann::json details = {{"sqlstate", sqlstate_}};
  const std::pair<const char*, int> named[] = {{"constraint", PG_DIAG_CONSTRAINT_NAME},
                                               {"table", PG_DIAG_TABLE_NAME},
                                               {"column", PG_DIAG_COLUMN_NAME}};
  for (const auto& [name, code] : named) {
    if (!Field(result, code).empty()) details[name] = Field(result, code);
  }
  std::string message = where_ + ": " + std::string(Field(result, PG_DIAG_MESSAGE_PRIMARY)) +
                        " (SQLSTATE " + sqlstate_ + ")";
  const std::string_view severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == "FATAL" || severity == "PANIC") Drop();
  using Json = nlohmann::json;
  return Error{meaning.kind, meaning.effect, std::move(message),
               details.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

bool Connection::Poll(int events, Deadline deadline, int* happened) const {
  while (true) {
    pollfd wanted{::PQsocket(handle_), static_cast<int16_t>(events), 0};
    const Duration left = deadline.Left(surroundings_.clock.Now());
    constexpr Duration kLong = std::chrono::hours(1);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min(left, kLong));
    const int ready = ::poll(&wanted, 1, static_cast<int>(wait.count()));
    if (ready > 0) {
      *happened = wanted.revents;
      return true;
    }
    // Broken in another way: reading or writing will say how.
    if (ready < 0 && errno != EINTR) {
      *happened = events;
      return true;
    }
    if (deadline.Passed(surroundings_.clock.Now())) return false;
  }
}

Status Connection::Flush(Deadline deadline, Phase phase) {
  while (true) {
    const int more = ::PQflush(handle_);
    if (more == 0) return Done();
    if (more < 0) return Lost(phase, "the connection was lost while sending");
    int happened = 0;
    if (!Poll(POLLIN | POLLOUT, deadline, &happened)) {
      return Lost(phase, "the server takes nothing");
    }
    // It may answer before it has read all; nobody would go on if nobody read.
    if ((happened & POLLIN) != 0 && ::PQconsumeInput(handle_) == 0) {
      return Lost(phase, "the connection was lost while sending");
    }
  }
}

Result<pg_result*> Connection::Next(Deadline deadline, Phase phase) {
  while (::PQisBusy(handle_) != 0) {
    int happened = 0;
    if (!Poll(POLLIN, deadline, &happened)) {
      Error error = Lost(phase, "the server gives no answer");
      error.kind = Kind::kDeadline;
      return error;
    }
    if (::PQconsumeInput(handle_) == 0) break;  // The result says why.
  }
  return ::PQgetResult(handle_);
}

Result<std::vector<Rows>> Connection::Exchange(std::span<const Send> sends, Phase phase) {
  cancelled_ = false;
  const auto deadline = Deadline::After(surroundings_.clock, options_.statement_timeout + kGrace);
  for (const Send& send : sends) {
    if (send() == 0) return Lost(phase, "the connection was lost while sending");
  }
  if (::PQpipelineSync(handle_) == 0) return Lost(phase, "the connection was lost while sending");
  SHEAF_TRY(Flush(deadline, phase));
  std::vector<Rows> answers;
  std::optional<Error> failed;
  for (size_t ended = 0; true;) {
    SHEAF_ASSIGN(pg_result* const result, Next(deadline, phase));
    if (result == nullptr) {
      // The end of one answer; there is one to each.
      if (++ended > sends.size()) return Lost(phase, "the server's answers do not fit");
      continue;
    }
    Rows rows(result);
    const auto status = ::PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      answers.push_back(std::move(rows));
    } else if (status != PGRES_PIPELINE_ABORTED) {
      if (!failed) failed = Failed(result, phase);
      if (lost()) break;
    }
  }
  if (failed) return *std::move(failed);
  if (answers.size() != sends.size()) return Lost(phase, "the server's answers do not fit");
  return answers;
}

Status Connection::Prepare(std::span<const Statement> statements, Phase phase) {
  if (prepared_.size() > kPreparedMax) {
    const Send forget = [&] {
      return ::PQsendQueryParams(handle_, "DEALLOCATE ALL", 0, nullptr, nullptr, nullptr, nullptr,
                                 1);
    };
    prepared_.clear();
    SHEAF_TRY(Exchange(std::span(&forget, 1), phase));
  }
  std::vector<const std::string*> texts;
  std::map<std::string_view, std::string> fresh;  // Names by text.
  for (const Statement& statement : statements) {
    const std::string& text = statement.sql.text();
    if (prepared_.contains(text) || fresh.contains(text)) continue;
    fresh[text] = "s" + std::to_string(++names_);
    texts.push_back(&text);
  }
  if (texts.empty()) return Done();
  std::vector<Send> sends;
  for (const std::string* text : texts) {
    const char* name = fresh[*text].c_str();
    sends.push_back(
        [this, name, text] { return ::PQsendPrepare(handle_, name, text->c_str(), 0, nullptr); });
    sends.push_back([this, name] { return ::PQsendDescribePrepared(handle_, name); });
  }
  SHEAF_ASSIGN(const auto answers, Exchange(sends, phase));
  for (size_t i = 0; i < texts.size(); ++i) {
    const pg_result* described = answers[2 * i + 1].result_.get();
    std::vector<TypeId> types;
    for (int p = 0; p < ::PQnparams(described); ++p) types.push_back(::PQparamtype(described, p));
    prepared_[*texts[i]] = {fresh[*texts[i]], std::move(types)};
  }
  return Done();
}

Result<std::vector<Rows>> Connection::RunIn(Phase phase, std::span<const Statement> statements) {
  if (lost()) {
    sqlstate_.clear();
    return Fail(Kind::kDependency, where_ + ": the connection was lost before");
  }
  // Preparing changes nothing.
  SHEAF_TRY(Prepare(statements, Phase::kInTransaction));
  std::vector<Bound> bounds;
  bounds.reserve(statements.size());
  for (const Statement& statement : statements) {
    const Prepared& prepared = prepared_.find(statement.sql.text())->second;
    SHEAF_ASSIGN(Bound bound, Bound::Of(statement.values, prepared.types));
    bounds.push_back(std::move(bound));
  }
  std::vector<Send> sends;
  for (size_t i = 0; i < statements.size(); ++i) {
    const Prepared& prepared = prepared_.find(statements[i].sql.text())->second;
    sends.push_back([this, &bound = bounds[i], name = prepared.name.c_str()] {
      return ::PQsendQueryPrepared(handle_, name, static_cast<int>(bound.values.size()),
                                   bound.values.data(), bound.lengths.data(), bound.formats.data(),
                                   1);
    });
  }
  return Exchange(sends, phase);
}

Result<Rows> Connection::Query(const Sql& sql, std::span<const Value> values) {
  const Statement one{sql, {values.begin(), values.end()}};
  SHEAF_ASSIGN(auto answers, RunIn(PhaseNow(), std::span(&one, 1)));
  return std::move(answers[0]);
}

Result<int64_t> Connection::Run(const Sql& sql, std::span<const Value> values) {
  SHEAF_ASSIGN(const Rows rows, Query(sql, values));
  return rows.changed();
}

Result<std::vector<int64_t>> Connection::RunAll(std::span<const Statement> statements) {
  std::vector<int64_t> changed;
  if (statements.empty()) return changed;
  SHEAF_ASSIGN(const auto answers, RunIn(PhaseNow(), statements));
  for (const Rows& rows : answers) changed.push_back(rows.changed());
  return changed;
}

Status Connection::Cancel() {
  MutexLock lock(mutex_);
  if (cancel_ == nullptr) return Done();
  cancelled_ = true;
  std::string why(256, '\0');
  if (::PQcancel(cancel_, why.data(), static_cast<int>(why.size())) == 1) return Done();
  return Fail(Kind::kDependency, where_ + ": nothing was cancelled: " + why.c_str());
}

}  // namespace sheaf::postgres
