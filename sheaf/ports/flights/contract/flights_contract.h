// The contract of ports/flights: one suite for the task engine and for another node.
//
//   INSTANTIATE_TEST_SUITE_P(Engine, FlightsContract,
//                            testing::Values(Backend{.name = "engine", .open = OpenEngine}));
#pragma once

#include <arrow/table.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "sheaf/ports/flights/contract/scripted_service.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::flights::contract {

// What is tested and all that it needs; dies with the test, before its service.
class Node {
 public:
  virtual ~Node() = default;
  virtual Flights& flights() = 0;
};

// A deviation is a datum with a name.
struct Backend {
  std::string name;
  // A fresh node that offers `service`; one that keeps flights until it dies.
  std::function<std::unique_ptr<Node>(ScriptedService& service)> open;
  bool metadata_without_progress = true;  // Remote: the stock client drops it.
};
inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

class FlightsContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { node_ = GetParam().open(service_); }
  void TearDown() override { service_.Release(); }

  Flights& flights() { return node_->flights(); }
  static Path At(const std::string& name) { return Path::Make({"test", name}).value(); }
  static Sink SinkAt(const std::string& name) { return {.path = At(name)}; }
  static std::shared_ptr<const Command> Asked(const Json& command);
  // {"service": "scripted", "spec": spec, "sink": {"path": ["test", sink], …}}
  static Json Scripted(const Json& spec, const std::string& sink = "", const Json& more = {});

  // Get with progress asked for (so that metadata is there everywhere).
  Result<Stream> Get(const What& what, const Context& context = {});
  Result<Stream> Run(const Json& command, const Context& context = {});
  // The whole of it; the error of Get or of the stream.
  Result<std::shared_ptr<arrow::Table>> Read(Result<Stream> stream);
  Result<int64_t> Rows(Result<Stream> stream);
  Result<std::shared_ptr<arrow::Table>> ReadPath(const std::string& name);
  Result<PutReceipt> PutRows(const Sink& sink, int64_t rows, int64_t from = 0);

  ScriptedService service_;
  std::unique_ptr<Node> node_;
};

}  // namespace sheaf::flights::contract
