// Drives LLVMFuzzerTestOneInput where libFuzzer is not linked: the small run of `make test`.
//
//   x_fuzz [FILE|DIRECTORY ...]    directories (need not exist) and files are bases for mutation;
//                                  with files alone, exactly these inputs are run
//
// Input number n depends on the seed and n alone. SHEAF_SEED sets the seed (printed at the start),
// SHEAF_FUZZ_RUNS how many inputs (2000), SHEAF_FUZZ_SECONDS after how long to stop early (30),
// SHEAF_FUZZ_RUN runs this one number: that is how a crash is replayed.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

using Input = std::vector<uint8_t>;
using Random = std::mt19937_64;

constexpr size_t kInputBytesMax = 4096;

// What the handler of a fatal signal needs, formatted before each run.
std::array<char, 256> replay_text{};

extern "C" void OnFatalSignal(int signal) {
  const std::string_view text = replay_text.data();
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) _exit(1);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

uint64_t NumberFromEnvironmentOr(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Input Load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Sorted by name, so that the same seed means the same inputs everywhere.
std::vector<Input> LoadDirectory(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory, none)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) inputs.push_back(Load(path));
  return inputs;
}

size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

Input Bytes(Random& random) {
  Input input(Below(random, size_t{1} << Below(random, 13)));
  for (auto& byte : input) byte = static_cast<uint8_t>(random());
  return input;
}

// One change a careless peer or a torn disk would make.
void Mutate(Random& random, const std::vector<Input>& corpus, Input& input) {
  static constexpr std::array<uint8_t, 8> kEdges = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '\n'};
  const size_t at = Below(random, input.size());
  const size_t length = Below(random, std::min<size_t>(input.size() - at, 64) + 1);
  const auto begin = input.begin() + static_cast<ptrdiff_t>(at);
  switch (Below(random, 8)) {
    case 0:
      if (!input.empty()) input[at] ^= static_cast<uint8_t>(1U << Below(random, 8));
      break;
    case 1:
      if (!input.empty()) input[at] = kEdges[Below(random, kEdges.size())];
      break;
    case 2: input.erase(begin, begin + static_cast<ptrdiff_t>(length)); break;
    case 3: input.resize(at); break;
    case 4: {
      const Input copy(begin, begin + static_cast<ptrdiff_t>(length));
      input.insert(begin, copy.begin(), copy.end());
      break;
    }
    case 5: input.insert(begin, 1 + Below(random, 8), static_cast<uint8_t>(random())); break;
    case 6:
      for (size_t n = at; n < std::min(at + 4, input.size()); ++n) input[n] = kEdges[n % 2 * 4];
      break;
    default: {
      if (corpus.empty()) break;
      const Input& other = corpus[Below(random, corpus.size())];
      const size_t from = Below(random, other.size());
      input.resize(at);
      input.insert(input.end(), other.begin() + static_cast<ptrdiff_t>(from), other.end());
    }
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
}

Input Generate(uint64_t seed, uint64_t number, const std::vector<Input>& corpus) {
  // The corpus itself comes first, unchanged.
  if (number < corpus.size()) return corpus[number];
  std::seed_seq mixed{seed, seed >> 32, number, number >> 32};
  Random random(mixed);
  Input input = corpus.empty() || Below(random, 10) == 0 ? Bytes(random)
                                                         : corpus[Below(random, corpus.size())];
  for (size_t n = Below(random, 6); n > 0; --n) Mutate(random, corpus, input);
  return input;
}

void Run(const Input& input, const char* format, uint64_t seed, uint64_t number) {
  std::snprintf(replay_text.data(), replay_text.size(), format,
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(number));
  // A copy of exactly this size, so that a sanitizer sees every read beyond it.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

int RunAll(const std::vector<Input>& corpus) {
  const uint64_t seed = NumberFromEnvironmentOr("SHEAF_SEED", std::random_device{}());
  const uint64_t runs = NumberFromEnvironmentOr("SHEAF_FUZZ_RUNS", 2000);
  const std::chrono::seconds limit(NumberFromEnvironmentOr("SHEAF_FUZZ_SECONDS", 30));
  const char* format = "fuzz: failed; replay with SHEAF_SEED=%llu SHEAF_FUZZ_RUN=%llu\n";
  std::printf("fuzz: SHEAF_SEED=%llu, %zu inputs in the corpus\n",
              static_cast<unsigned long long>(seed), corpus.size());
  std::fflush(stdout);
  if (std::getenv("SHEAF_FUZZ_RUN") != nullptr) {
    const uint64_t number = NumberFromEnvironmentOr("SHEAF_FUZZ_RUN", 0);
    Run(Generate(seed, number, corpus), format, seed, number);
    return 0;
  }
  const auto started = std::chrono::steady_clock::now();
  uint64_t number = 0;
  for (; number < std::max<uint64_t>(runs, corpus.size()); ++number) {
    if (std::chrono::steady_clock::now() - started > limit) break;
    Run(Generate(seed, number, corpus), format, seed, number);
  }
  std::printf("fuzz: %llu inputs run\n", static_cast<unsigned long long>(number));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}) {
    std::signal(signal, OnFatalSignal);
  }
  std::vector<Input> corpus;
  bool has_directory = false;
  for (int n = 1; n < argc; ++n) {
    if (std::filesystem::is_regular_file(argv[n])) {
      corpus.push_back(Load(argv[n]));
      continue;
    }
    has_directory = true;
    for (auto& input : LoadDirectory(argv[n])) corpus.push_back(std::move(input));
  }
  if (argc > 1 && !has_directory) {
    for (const Input& input : corpus) Run(input, "fuzz: failed on a given file\n", 0, 0);
    return 0;
  }
  return RunAll(corpus);
}
