// DoGet of a cached flight, from memory and from the disk's mapped pages.
#include "bench/batches.h"
#include "bench/clients.h"
#include "bench/measure.h"
#include "testkit/temporary.h"

namespace bench {
namespace {

// GB/s of `streams` clients, each reading the flight `times` times.
Side Reading(const std::vector<Client>& clients, fl::FlightDescriptor descriptor, int times,
             int64_t batches) {
  return [&clients, descriptor, times, batches] {
    const int streams = static_cast<int>(clients.size());
    const double start = Seconds();
    Measured measured;
    measured.checksum = InParallel(streams, [&](int i) {
      uint64_t sum = 0;
      for (int n = 0; n < times; ++n) {
        sum += Get(*clients[i], TicketOf(*clients[i], descriptor));
      }
      return sum;
    });
    const double bytes = static_cast<double>(streams * times * batches * kBatchBytes);
    measured.value = bytes / (Seconds() - start) / 1e9;
    return measured;
  };
}

}  // namespace

void GetRows() {
  const int64_t batches = Smoke() ? 4 : 128;
  const int readings = Smoke() ? 4 : 8;
  const Bare bare(batches);
  const testkit::TemporaryDirectory directory;
  const Node node(directory.path() + "/node", {"memory.budget=8GiB", "memory.store_budget=4GiB"});
  const auto data = MakeBatches(batches);
  const auto writer = Connect(node.uri());
  for (const std::string tier : {"memory", "disk"}) {
    Put(*writer,
        fl::FlightDescriptor::Command(R"({"sink":{"path":["get",")" + tier + R"("],"tier":")" +
                                      tier + R"("}})"),
        data);
    for (const int streams : {1, 4}) {
      const auto base = ConnectMany(bare.uri(), streams);
      const auto ours = ConnectMany(node.uri(), streams);
      const auto descriptor = fl::FlightDescriptor::Path({"get", tier});
      Compare({.bench = "get/" + tier + "/" + std::to_string(streams) + " streams",
               .unit = "GB/s",
               .bar = 0.9},
              Reading(base, descriptor, readings / streams, batches),
              Reading(ours, descriptor, readings / streams, batches));
    }
  }
}

}  // namespace bench
