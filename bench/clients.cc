#include "bench/clients.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench/batches.h"
#include "bench/measure.h"

namespace bench {
namespace {

void Must(const arrow::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Must(arrow::Result<T> result) {
  Must(result.status());
  return std::move(result).ValueUnsafe();
}

}  // namespace

Client Connect(const std::string& uri) {
  std::string address = uri;
  const auto scheme = address.find("://");
  if (scheme != std::string::npos) address.replace(0, scheme, "grpc+tcp");
  return Must(fl::FlightClient::Connect(Must(fl::Location::Parse(address))));
}

std::vector<Client> ConnectMany(const std::string& uri, int count) {
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) clients.push_back(Connect(uri));
  return clients;
}

uint64_t Get(fl::FlightClient& client, const fl::Ticket& ticket) {
  auto reader = Must(client.DoGet(ticket));
  uint64_t sum = 0;
  while (true) {
    const auto chunk = Must(reader->Next());
    if (chunk.data == nullptr) return sum;
    sum = Checksum(sum, *chunk.data);
  }
}

fl::Ticket TicketOf(fl::FlightClient& client, const fl::FlightDescriptor& descriptor) {
  return Must(client.GetFlightInfo(descriptor))->endpoints().at(0).ticket;
}

int64_t Put(fl::FlightClient& client, const fl::FlightDescriptor& descriptor,
            const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  auto put = Must(client.DoPut(descriptor, batches.front()->schema()));
  for (const auto& batch : batches) Must(put.writer->WriteRecordBatch(*batch));
  Must(put.writer->DoneWriting());
  std::shared_ptr<arrow::Buffer> receipt;
  Must(put.reader->ReadMetadata(&receipt));
  Must(put.writer->Close());
  if (receipt == nullptr) Must(arrow::Status::IOError("a DoPut without a receipt"));
  return nlohmann::json::parse(receipt->ToString())["rows"];
}

std::string Act(fl::FlightClient& client, const std::string& action, const std::string& body) {
  auto results = Must(client.DoAction({action, arrow::Buffer::FromString(body)}));
  const auto first = Must(results->Next());
  return first == nullptr ? "" : first->body->ToString();
}

}  // namespace bench
