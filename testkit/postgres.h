// A real PostgreSQL 15 for tests: in a directory of its own, stopped and removed with the test,
// also when the test dies.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

// At the head of a test or its SetUp. Without the programs it fails: a test that did not run would
// look as if it had passed, and tools/setup installs them.
#define SHEAF_NEEDS_POSTGRES()                                               \
  if (const auto missing_ = testkit::Postgres::Missing(); !missing_.empty()) \
  FAIL() << missing_

namespace testkit {

// Owner: a test, or this process (Shared). Threads: any, apart from Stop, Kill and Start.
// Blocking: until the server answers, at most a minute; then the process ends with its log.
class Postgres final {
 public:
  // Empty when the programs are here; else a sentence that says what to install.
  static std::string Missing();
  // One for all tests of this executable, started when it is first asked for.
  static Postgres& Shared();

  // In a directory of its own in `above`; empty: in memory where the machine has such a place.
  explicit Postgres(const std::string& above = {});
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  // Over the Unix socket, where everybody is trusted: a schema nobody has used yet.
  std::string FreshUrl();
  // The same without a schema of its own.
  std::string Url() const;
  // Over the loopback, with this user and password.
  std::string TcpUrl(const std::string& user, const std::string& password) const;
  const std::string& password() const { return password_; }  // Of the superuser `postgres`.

  void Stop();   // As an operator would: sessions are ended, what is committed is written.
  void Kill();   // As a crash would: nothing is written, the log is replayed at the next start.
  void Start();  // After either; returns when the server answers.

 private:
  struct Keeper;
  void Tell(char command);
  void AwaitAnswer();

  std::string directory_;
  std::string password_;
  int port_ = 0;
  int schemas_ = 0;
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace testkit
