// GetFlightInfo of paths among very many, against a constant answer.
#include "bench/clients.h"
#include "bench/measure.h"

namespace bench {
namespace {

// Calls a second of clients that ask for paths here and there.
Side Asking(const std::vector<Client>& clients, int64_t paths, int64_t calls) {
  return [&clients, paths, calls] {
    const auto count = static_cast<int64_t>(clients.size());
    const double start = Seconds();
    Measured measured;
    measured.checksum = InParallel(static_cast<int>(count), [&](int i) {
      uint64_t answered = 0;
      uint64_t place = static_cast<uint64_t>(i) + 1;
      for (int64_t n = 0; n < calls / count; ++n) {
        place = Mix(place, static_cast<uint64_t>(n));
        const auto at = static_cast<int64_t>(place % static_cast<uint64_t>(paths));
        const auto descriptor = fl::FlightDescriptor::Path(
            {"warehouse", "region" + std::to_string(at % 100), "table-" + std::to_string(at)});
        answered += TicketOf(*clients[i], descriptor).ticket.empty() ? 0 : 1;
      }
      return answered;
    });
    measured.value = static_cast<double>(measured.checksum) / (Seconds() - start);
    return measured;
  };
}

}  // namespace

void InfoRows() {
  const int64_t paths = Smoke() ? 10'000 : 1'000'000;
  const Bare bare(1);
  Child server({Beside("bench_paths_server"), std::to_string(paths)}, "");
  const std::string uri = server.Line();
  for (const int count : {1, 16, 64}) {
    const auto base = ConnectMany(bare.uri(), count);
    const auto ours = ConnectMany(uri, count);
    const int64_t calls = Smoke() ? 320 : count == 1 ? 4'000 : 16'000;
    Compare(
        {.bench = "info/" + std::to_string(paths) + " paths/" + std::to_string(count) + " clients",
         .unit = "calls/s",
         .bar = 0.9},
        Asking(base, paths, calls), Asking(ours, paths, calls));
  }
}

}  // namespace bench
