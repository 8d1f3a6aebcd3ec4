# Tests of the source itself: floors, tidy, locks, what must not compile, exported symbols.
if(SHEAF_LIBFUZZER)
  # What `make fuzz` runs: one line a fuzzer, program and corpus.
  get_property(fuzzers GLOBAL PROPERTY SHEAF_FUZZERS)
  list(JOIN fuzzers "\n" lines)
  file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/fuzzers.txt" CONTENT "${lines}\n")
  return()
endif()

set(tools "${CMAKE_SOURCE_DIR}/tools")
sheaf_add_ctest(floors COMMAND "${tools}/floors"
  --drawn docs/house.svg LABELS source SECONDS 60)
sheaf_add_ctest(tidy COMMAND "${tools}/tidy" LABELS source SECONDS 60)
sheaf_add_ctest(negative COMMAND "${tools}/negative" "${CMAKE_BINARY_DIR}"
                LABELS source SECONDS 120)
sheaf_add_ctest(thread_safety COMMAND "${tools}/thread_safety" "${CMAKE_BINARY_DIR}"
                LABELS source SECONDS 900)
if(TARGET sheaf)
  sheaf_add_ctest(hidden_symbols COMMAND "${tools}/hidden_symbols" $<TARGET_FILE:sheaf>
                  LABELS source SECONDS 60)
endif()
