// Everything that is measured through Flight's wire by stock clients.
//
//   bench_flight [get|put|info|small ...]     all of them when none is named
#include <cstdio>
#include <map>
#include <string>

#include "bench/clients.h"

int main(int argc, char** argv) {
  const std::map<std::string, void (*)()> all{{"get", bench::GetRows},
                                              {"put", bench::PutRows},
                                              {"info", bench::InfoRows},
                                              {"small", bench::SmallRows}};
  for (int i = 1; i < argc; ++i) {
    const auto found = all.find(argv[i]);
    if (found == all.end()) {
      std::fprintf(stderr, "no rows called %s\n", argv[i]);
      return 2;
    }
    found->second();
  }
  if (argc > 1) return 0;
  for (const auto& [name, rows] : all) rows();
  return 0;
}
