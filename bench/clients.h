// What clients do with a server, by Arrow's stock client.
#pragma once

#include <arrow/flight/api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/child.h"

namespace bench {

namespace fl = arrow::flight;

using Client = std::unique_ptr<fl::FlightClient>;
Client Connect(const std::string& uri);
std::vector<Client> ConnectMany(const std::string& uri, int count);

// Each ends the program when the server refuses.
uint64_t Get(fl::FlightClient& client, const fl::Ticket& ticket);  // Its checksum.
fl::Ticket TicketOf(fl::FlightClient& client, const fl::FlightDescriptor& descriptor);
int64_t Put(fl::FlightClient& client, const fl::FlightDescriptor& descriptor,
            const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);  // Rows received.
std::string Act(fl::FlightClient& client, const std::string& action, const std::string& body);

// A bare server with this many batches.
class Bare final {
 public:
  explicit Bare(int64_t batches)
      : child_({Beside("bench_bare_server"), std::to_string(batches)}, ""), uri_(child_.Line()) {}
  const std::string& uri() const { return uri_; }

 private:
  Child child_;
  std::string uri_;
};

// The rows of bench_flight.
void GetRows();
void PutRows();
void InfoRows();
void SmallRows();

}  // namespace bench
