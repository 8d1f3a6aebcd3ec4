// The baseline: Arrow's own Flight server with constant answers and nothing else. Sends batches
// from memory, drops what it is sent, answers every descriptor with the same words.
//
//   bench_bare_server BATCHES     prints its URI; serves until it is killed
#include <arrow/flight/api.h>

#include <cstdio>
#include <cstdlib>

#include "bench/batches.h"

namespace {

namespace fl = arrow::flight;

fl::FlightInfo MakeInfo(int64_t batches) {
  fl::FlightEndpoint everything;
  everything.ticket.ticket = "all";
  return fl::FlightInfo::Make(*bench::NumbersSchema(), fl::FlightDescriptor::Path({"bare"}),
                              {everything}, batches * bench::kBatchRows,
                              batches * bench::kBatchBytes)
      .ValueOrDie();
}

class BareServer final : public fl::FlightServerBase {
 public:
  explicit BareServer(int64_t batches)
      : batches_(bench::MakeBatches(batches)), info_(MakeInfo(batches)) {}

  arrow::Status GetFlightInfo(const fl::ServerCallContext&, const fl::FlightDescriptor&,
                              std::unique_ptr<fl::FlightInfo>* info) override {
    *info = std::make_unique<fl::FlightInfo>(info_);
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const fl::ServerCallContext&, const fl::Ticket&,
                      std::unique_ptr<fl::FlightDataStream>* stream) override {
    ARROW_ASSIGN_OR_RAISE(auto reader,
                          arrow::RecordBatchReader::Make(batches_, bench::NumbersSchema()));
    *stream = std::make_unique<fl::RecordBatchStream>(std::move(reader));
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const fl::ServerCallContext&, std::unique_ptr<fl::FlightMessageReader> reader,
                      std::unique_ptr<fl::FlightMetadataWriter> writer) override {
    int64_t rows = 0;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, reader->Next());
      if (chunk.data == nullptr) break;
      rows += chunk.data->num_rows();
    }
    return writer->WriteMetadata(
        *arrow::Buffer::FromString("{\"rows\":" + std::to_string(rows) + "}"));
  }

 private:
  const std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  const fl::FlightInfo info_;
};

}  // namespace

int main(int argc, char** argv) {
  BareServer server(argc > 1 ? std::atoll(argv[1]) : 1);
  fl::FlightServerOptions options(fl::Location::ForGrpcTcp("127.0.0.1", 0).ValueOrDie());
  if (!server.Init(options).ok()) return 1;
  std::printf("grpc://127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  return server.Serve().ok() ? 0 : 1;
}
