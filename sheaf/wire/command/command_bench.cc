// How long a command takes from bytes to its identity: small, as queries are, and as large as a
// tree may be. Prints a checksum of the identities.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sheaf/base/core/check.h"
#include "sheaf/wire/command/command.h"

namespace sheaf {
namespace {

std::string Small() {
  return R"({"service":"sql","inputs":{"orders":{"path":["raw","orders"]},"lineitem":{"service":)"
         R"("files","spec":{"uri":"lineitem.parquet","columns":["l_orderkey","l_quantity"]}}},)"
         R"("spec":{"sql":"select o_orderpriority, count(*) from orders join lineitem on )"
         R"(o_orderkey = l_orderkey group by 1 order by 1"},"sink":{"path":["reports","q4"]}})";
}

std::string Wide() {
  std::string text = R"({"service":"sql","inputs":{)";
  for (size_t i = 1; i < command::kTreeCommandsMax; ++i) {
    const std::string n = std::to_string(i);
    text += (i > 1 ? ",\"i" : "\"i") + n + R"(":{"service":"files","spec":{"uri":"part-)" + n +
            R"(.parquet"},"sink":{"path":["p",")" + n + "\"]}}";
  }
  return text + R"(},"spec":{"sql":"select 1"}})";
}

uint32_t Run(const char* name, const std::string& text, int rounds) {
  uint32_t sum = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    const auto command = Command::Parse(text);
    SHEAF_CHECK(command.ok());
    const Identity identity = command::IdentityOf(**command, {});
    for (const char c : identity.raw) sum = sum * 31 + static_cast<uint8_t>(c);
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  std::printf("%s: %zu bytes, %.1f us each\n", name, text.size(), took.count() / rounds);
  return sum;
}

int Main() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string_view(size) == "smoke";
  const uint32_t small = Run("small command", Small(), smoke ? 1'000 : 200'000);
  const uint32_t wide = Run("256 commands", Wide(), smoke ? 10 : 2'000);
  std::printf("checksum %08x\n", small ^ wide);
  return 0;
}

}  // namespace
}  // namespace sheaf

int main() { return sheaf::Main(); }
