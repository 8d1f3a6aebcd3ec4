// How a call ended: a status and the trailers that go with it.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <utility>
#include <vector>

namespace sheaf::grpc {

// A value. Keys are lower case; a key that ends in "-bin" may carry any bytes.
struct Outcome {
  ::grpc::Status status;
  std::vector<std::pair<std::string, std::string>> trailers;

  static Outcome Ok() { return {}; }
};

// The gRPC code of this number; kUnknown for a number that is none, and for 0: an error is not OK.
::grpc::StatusCode CodeOf(int number);

// At most `bytes` of `text`, cut between UTF-8 characters, "…" at the end when it was cut.
std::string Shorten(std::string text, size_t bytes);

}  // namespace sheaf::grpc
