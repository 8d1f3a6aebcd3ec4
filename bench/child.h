// A server as a process of its own, stopped with its owner.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

// Starts the program; its standard error goes to `log` ("" = nowhere to be found).
//
// Owner: one thread. Blocking: Line waits for the child, the destructor for its end.
class Child final {
 public:
  Child(const std::vector<std::string>& arguments, const std::string& log);
  ~Child();  // SIGTERM, then waits.
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string Line();  // Of its standard output. Ends this program when there is none.

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

// A program that was built beside this one.
std::string Beside(const std::string& program);

// `sheaf serve` on a free port, without HTTP; SHEAF_BIN says which.
class Node final {
 public:
  Node(const std::string& state, const std::vector<std::string>& sets);
  const std::string& uri() const { return uri_; }

 private:
  Child child_;
  std::string uri_;
};

}  // namespace bench
