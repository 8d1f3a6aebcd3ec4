// DoPut into the memory tier and into the disk tier, against a server that drops the batches.
#include "bench/batches.h"
#include "bench/clients.h"
#include "bench/measure.h"
#include "testkit/temporary.h"

namespace bench {
namespace {

// GB/s of uploads one after another. What was uploaded is dropped outside the measured time.
Side Writing(fl::FlightClient& client, fl::FlightDescriptor descriptor,
             const std::vector<std::shared_ptr<arrow::RecordBatch>>& data, std::string drop) {
  return [&client, descriptor, &data, drop] {
    const int uploads = Smoke() ? 1 : 4;
    double seconds = 0;
    Measured measured;
    for (int n = 0; n < uploads; ++n) {
      const double start = Seconds();
      measured.checksum =
          Mix(measured.checksum, static_cast<uint64_t>(Put(client, descriptor, data)));
      seconds += Seconds() - start;
      if (!drop.empty()) Act(client, "DropFlight", drop);
    }
    const auto bytes = static_cast<double>(data.size()) * kBatchBytes * uploads;
    measured.value = bytes / seconds / 1e9;
    return measured;
  };
}

}  // namespace

void PutRows() {
  const Bare bare(1);
  const testkit::TemporaryDirectory directory;
  const Node node(directory.path() + "/node",
                  {"memory.budget=8GiB", "memory.store_budget=4GiB", "store.replaced_ms=0"});
  const auto data = MakeBatches(Smoke() ? 4 : 128);
  const auto base = Connect(bare.uri());
  const auto ours = Connect(node.uri());
  for (const auto& [tier, bar] : {std::pair<std::string, double>{"memory", 0.85}, {"disk", 0.5}}) {
    const std::string path = R"("path":["put",")" + tier + R"("])";
    Compare({.bench = "put/" + tier, .unit = "GB/s", .bar = bar},
            Writing(*base, fl::FlightDescriptor::Path({"put"}), data, ""),
            Writing(*ours,
                    fl::FlightDescriptor::Command(R"({"sink":{)" + path + R"(,"tier":")" + tier +
                                                  R"("}})"),
                    data, "{" + path + "}"));
  }
}

}  // namespace bench
