// A small cached result: one round trip by a JSON ticket, against GetFlightInfo and DoGet.
#include "bench/batches.h"
#include "bench/clients.h"
#include "bench/measure.h"
#include "testkit/temporary.h"

namespace bench {
namespace {

enum class Form : uint8_t { kTwoCalls, kOneCall };

// Results a second of eight clients.
Side Asking(const std::vector<Client>& clients, const std::string& command, Form form) {
  return [&clients, command, form] {
    const int64_t each = Smoke() ? 20 : 1'000;
    const auto descriptor = fl::FlightDescriptor::Command(command);
    const double start = Seconds();
    Measured measured;
    measured.checksum = InParallel(static_cast<int>(clients.size()), [&](int i) {
      uint64_t sum = 0;
      for (int64_t n = 0; n < each; ++n) {
        sum += Get(*clients[i], form == Form::kOneCall ? fl::Ticket{command}
                                                       : TicketOf(*clients[i], descriptor));
      }
      return sum;
    });
    const auto results = static_cast<double>(each) * static_cast<double>(clients.size());
    measured.value = results / (Seconds() - start);
    return measured;
  };
}

}  // namespace

void SmallRows() {
  const testkit::TemporaryDirectory directory;
  const Node node(directory.path() + "/node", {});
  const auto clients = ConnectMany(node.uri(), 8);
  const std::string command =
      R"_({"service":"sql","spec":{"sql":"select i, i * 2 as j from range(10) t(i)"},)_"
      R"_("sink":{"path":["small"],"tier":"memory"}})_";
  Get(*clients[0], {command});
  Compare({.bench = "small result/8 clients", .unit = "results/s", .bar = 1.8},
          Asking(clients, command, Form::kTwoCalls), Asking(clients, command, Form::kOneCall));
}

}  // namespace bench
