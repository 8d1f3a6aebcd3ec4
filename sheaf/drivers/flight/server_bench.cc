// Throughput of the server against Arrow's own client in one process: DoGet, DoPut, GetFlightInfo.
//   serve [PORT]    only serves, until its input ends, for clients of other kinds
//   against PORT    only asks, a server that knows the ticket "bulk:N" and takes any path
#include <arrow/flight/api.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/grpc/allocator.h"

namespace sheaf::flight {
namespace {

namespace fl = arrow::flight;

bool Smoke() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  return size != nullptr && std::strcmp(size, "smoke") == 0;
}

double Seconds(Instant since, const Clock& clock) {
  return std::chrono::duration<double>(clock.Now() - since).count();
}

std::unique_ptr<fl::FlightClient> Connect(int port) {
  const auto location = fl::Location::ForGrpcTcp("127.0.0.1", port).ValueOrDie();
  return fl::FlightClient::Connect(location).ValueOrDie();
}

int64_t Get(int port, int64_t batches) {
  auto client = Connect(port);
  fl::Ticket ticket{"bulk:" + std::to_string(batches)};
  auto reader = client->DoGet(ticket).ValueOrDie();
  int64_t rows = 0;
  while (true) {
    auto chunk = reader->Next().ValueOrDie();
    if (chunk.data == nullptr) return rows;
    rows += chunk.data->num_rows();
  }
}

int64_t Put(int port, int64_t batches, const arrow::RecordBatch& batch) {
  auto client = Connect(port);
  auto put = client->DoPut(fl::FlightDescriptor::Path({"drop"}), batch.schema()).ValueOrDie();
  for (int64_t i = 0; i < batches; ++i) {
    if (!put.writer->WriteRecordBatch(batch).ok()) return 0;
  }
  (void)put.writer->DoneWriting();
  std::shared_ptr<arrow::Buffer> result;
  (void)put.reader->ReadMetadata(&result);
  return put.writer->Close().ok() ? batches * batch.num_rows() : 0;
}

template <typename F>
int64_t InParallel(int count, F work) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&] { sum += work(); });
  for (auto& thread : threads) thread.join();
  return sum;
}

void Report(const char* name, int streams, int64_t rows, double seconds) {
  std::printf("%-4s  streams=%d rows=%lld %.3f GB/s\n", name, streams, static_cast<long long>(rows),
              static_cast<double>(rows) * 32 / seconds / 1e9);
}

int64_t Infos(int port, int64_t calls) {
  auto client = Connect(port);
  int64_t good = 0;
  for (int64_t i = 0; i < calls; ++i) {
    good += client->GetFlightInfo(fl::FlightDescriptor::Command("q")).ok() ? 1 : 0;
  }
  return good;
}

void Measure(int port, const Clock& clock) {
  const auto batch = NumbersBatch(65'536);
  const int64_t batches = Smoke() ? 20 : 1500;
  for (const int streams : {1, 2, 4}) {
    auto since = clock.Now();
    int64_t rows = InParallel(streams, [&] { return Get(port, batches / streams); });
    Report("get", streams, rows, Seconds(since, clock));
    since = clock.Now();
    rows = InParallel(streams, [&] { return Put(port, batches / streams, *batch); });
    Report("put", streams, rows, Seconds(since, clock));
  }
  for (const int threads : {1, 4, 16}) {
    const int64_t calls = Smoke() ? 50 : 20'000 / threads;
    const auto since = clock.Now();
    const int64_t good = InParallel(threads, [&] { return Infos(port, calls); });
    std::printf("info  threads=%d good=%lld %.0f/s\n", threads, static_cast<long long>(good),
                static_cast<double>(good) / Seconds(since, clock));
  }
}

int Main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "both";
  const int given_port = argc > 2 ? std::atoi(argv[2]) : 0;
  grpc::TuneAllocator();
  time::SystemClock clock;
  if (mode == "against") {
    Measure(given_port, clock);
    return 0;
  }
  Timers timers(clock);
  EchoHandler handler(timers);
  ServerOptions options;
  options.translate = TranslateForTests;
  options.port = given_port;
  const auto server = Server::Start(options, handler, timers);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  if (mode == "serve") {
    std::printf("%d\n", (*server)->port());
    std::fflush(stdout);
    std::getchar();
    return 0;
  }
  Measure((*server)->port(), clock);
  return 0;
}

}  // namespace
}  // namespace sheaf::flight

int main(int argc, char** argv) { return sheaf::flight::Main(argc, argv); }
