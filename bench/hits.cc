// A hit of a cached small command without a wire, on one core: the bytes of a command in, the
// flight found; then the whole call, with its ticket, its metadata and its FlightInfo.
#include <arrow/api.h>

#include "bench/assembled.h"
#include "bench/measure.h"
#include "sheaf/host/endpoint/core.h"
#include "sheaf/host/endpoint/handler.h"
#include "sheaf/host/endpoint/infos.h"

namespace bench {
namespace {

using namespace sheaf;

constexpr int kCommands = 100;

class LocalCall final : public flight::Call {
 public:
  std::string_view method() const override { return "GetFlightInfo"; }
  std::optional<std::string> Header(std::string_view) const override { return std::nullopt; }
  Deadline deadline() const override { return {}; }
  std::string peer() const override { return "ipv4:127.0.0.1:1"; }
  CancelToken token() const override { return {}; }
  void ReplyHeader(std::string, std::string) override {}
  std::optional<std::string> Replied(std::string_view) const override { return std::nullopt; }
};

std::string CommandText(int i) {
  return R"({"service":"sql","inputs":{"t":{"service":"files","spec":{"uri":"t.parquet"}}},)"
         R"("spec":{"sql":"select count(*) from t where a = )" +
         std::to_string(i) + R"("},"sink":{"path":["hits",")" + std::to_string(i) +
         R"("],"tier":"memory","reuse":"if_same"}})";
}

// Commits a small flight as if the command had run.
void Keep(store::Store& store, const Command& command) {
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  arrow::Int64Builder builder;
  SHEAF_CHECK(builder.Append(42).ok());
  auto writer = store.OpenWriter({.schema = schema}).value();
  const auto batch = arrow::RecordBatch::Make(schema, 1, {builder.Finish().ValueOrDie()});
  SHEAF_CHECK(writer->Write(0, batch).ok());
  const auto written = writer->Commit({{.sink = *command.sink,
                                        .from = {.identity = command::IdentityOf(command, {}),
                                                 .command = command.ToJson().dump(),
                                                 .principal = "anonymous"}}},
                                      nullptr);
  SHEAF_CHECK(written.ok() && written->front().ok());
}

// Found a second; the sum of the flights' generations says that all were found.
Measured Find(endpoint::Core& core, const std::vector<flight::Descriptor>& asked, int64_t calls) {
  Measured measured;
  const double start = Seconds();
  for (int64_t i = 0; i < calls; ++i) {
    const auto& descriptor = asked[static_cast<size_t>(i) % asked.size()];
    const auto request = endpoint::ParseDescriptor(core, descriptor);
    const auto known = core.memo.Find(descriptor.command);
    SHEAF_CHECK(request.ok() && known.has_value() && known->identity.has_value());
    const auto hit = core.parts.engine.QuickHit(*known->command, *known->identity);
    SHEAF_CHECK(hit.has_value());
    measured.checksum += hit->hit->record->generation;
  }
  measured.value = static_cast<double>(calls) / (Seconds() - start);
  return measured;
}

Measured Answer(endpoint::Handler& handler, const std::vector<flight::Descriptor>& asked,
                int64_t calls) {
  Measured measured;
  const double start = Seconds();
  for (int64_t i = 0; i < calls; ++i) {
    handler.GetFlightInfo(std::make_shared<LocalCall>(),
                          asked[static_cast<size_t>(i) % asked.size()],
                          [&](Result<flight::Info> info) {
                            SHEAF_CHECK(info.ok() && info->rows == 1);
                            ++measured.checksum;
                          });
  }
  measured.value = static_cast<double>(calls) / (Seconds() - start);
  return measured;
}

int Main() {
  time::SystemClock clock;
  observe::SpdLog log(clock, {.write = [](std::string_view) {}});
  Assembled node(log);
  endpoint::Core core(Assembled::options(), node.parts());
  core.state = endpoint::Endpoint::State::kReady;
  endpoint::Handler handler(core);
  std::vector<flight::Descriptor> asked;
  for (int i = 0; i < kCommands; ++i) {
    asked.push_back(
        {.type = flight::Descriptor::Type::kCommand, .path = {}, .command = CommandText(i)});
    Keep(*node.store, *Command::Parse(asked.back().command).value());
  }
  const int64_t calls = Smoke() ? 2'000 : 200'000;
  Against({.bench = "hit/bytes in, flight found", .unit = "hits/s"}, 50'000,
          [&] { return Find(core, asked, calls); });
  Against({.bench = "hit/whole GetFlightInfo", .unit = "hits/s"}, 50'000,
          [&] { return Answer(handler, asked, calls); });
  return 0;
}

}  // namespace
}  // namespace bench

int main() { return bench::Main(); }
