# One call declares a room, a test beside the rooms, or generated code.
#
#   sheaf_room([ROOMS wing/room ...]      rooms it may use; linked PUBLIC
#              [LIBS sheaf::arrow ...]    foreign libraries; linked PUBLIC
#              [TEST_ROOMS wing/room ...] [TEST_LIBS ...]   only for its tests, fuzzers and benches
#              [CONTRACTS ports/store ...] contract suites its tests instantiate
#              [PCH arrow]                reuse the precompiled Arrow header
#              [TEST_SECONDS n]           limit for its test executable, default 120
#              [THREADS] [SOAK])          tests also run under TSan; also run by `make soak`
#
# Wing and room are the directory's name. By suffix, for the room's *.cc:
#   x_test.cc   one GoogleTest executable <wing>_<room>_test              label unit
#   x_fuzz.cc   executable <wing>_<room>_x_fuzz, LLVMFuzzerTestOneInput   label fuzz
#   x_bench.cc  executable <wing>_<room>_x_bench, own main                label bench
#   main.cc     in apps/<room> only: the program bin/<room>
#   any other   static library sheaf_<wing>_<room> (INTERFACE when there is none)
#   contract/*.cc   OBJECT library sheaf_<wing>_<room>_contract
# testkit/ calls sheaf_room() too and becomes sheaf_testkit, linked into every test.
#
#   sheaf_test(NAME x SOURCES ... [ROOMS ...] [LIBS ...] [CONTRACTS ...] [LABELS ...] [SECONDS n])
#   sheaf_bench(NAME x SOURCES ... [ROOMS ...] [LIBS ...])
#   sheaf_pytest(NAME x FILES ... [LABELS ...] [SECONDS n])
#   sheaf_proto(TARGET file.proto ...)    "<path from the root>/file.pb.h", ".grpc.pb.h"

add_custom_target(unit_tests)    # what `make asan` builds
add_custom_target(thread_tests)  # what `make tsan` builds
add_custom_target(benches)       # what `make bench` builds

# Arrow, gRPC and DuckDB come without ThreadSanitizer: half of what they do is seen, so what they do
# on their own is left out, and with it the reports of mutexes that seem unlocked twice.
string(CONCAT SHEAF_TSAN_OPTIONS
       "ignore_noninstrumented_modules=1:report_mutex_bugs=0:second_deadlock_stack=1:"
       "suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")

# Paths and sanitizer settings every test may rely on.
set(SHEAF_TEST_ENV
    "SHEAF_SOURCE_DIR=${CMAKE_SOURCE_DIR}" "SHEAF_BINARY_DIR=${CMAKE_BINARY_DIR}"
    "SHEAF_BIN=${CMAKE_BINARY_DIR}/bin/sheaf" "SHEAF_PYTHON=${SHEAF_VENV}/bin/python"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=${SHEAF_TSAN_OPTIONS}")

# base/core -> sheaf_base_core; notes who asked, so that an absent room is named with its asker.
function(sheaf_room_targets out)
  set(targets "")
  foreach(room IN LISTS ARGN)
    string(REPLACE "/" "_" target "sheaf_${room}")
    list(APPEND targets ${target})
    set_property(GLOBAL APPEND PROPERTY SHEAF_ASKED "${target}|${room}|${CMAKE_CURRENT_SOURCE_DIR}")
  endforeach()
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

function(sheaf_contract_targets out)
  set(targets "")
  foreach(room IN LISTS ARGN)
    string(REPLACE "/" "_" target "sheaf_${room}_contract")
    list(APPEND targets ${target})
    set_property(GLOBAL APPEND PROPERTY SHEAF_ASKED
                 "${target}|${room}/contract|${CMAKE_CURRENT_SOURCE_DIR}")
  endforeach()
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

# Called once, after every directory has been added.
function(sheaf_check_rooms)
  get_property(asked GLOBAL PROPERTY SHEAF_ASKED)
  list(REMOVE_DUPLICATES asked)
  set(missing 0)
  foreach(entry IN LISTS asked)
    string(REPLACE "|" ";" entry "${entry}")
    list(GET entry 0 target)
    list(GET entry 1 room)
    list(GET entry 2 asker)
    if(NOT TARGET ${target})
      file(RELATIVE_PATH asker "${CMAKE_SOURCE_DIR}" "${asker}")
      set(text "${asker} asks for ${room}, which does not exist "
               "(no sheaf/${room} with sources and a CMakeLists.txt)")
      string(CONCAT text ${text})
      if(SHEAF_PARTIAL_HOUSE)
        message(WARNING "${text}; left out, because SHEAF_PARTIAL_HOUSE is ON")
        add_library(${target} INTERFACE)
      else()
        message(SEND_ERROR "${text}")
      endif()
    endif()
  endforeach()
endfunction()

function(sheaf_use_pch target pch)
  if(NOT pch OR NOT SHEAF_PCH)
    return()
  endif()
  if(NOT TARGET sheaf_pch_${pch})
    message(FATAL_ERROR "PCH ${pch}: only `arrow` exists")
  endif()
  target_link_libraries(${target} PRIVATE sheaf::arrow sheaf::json)
  target_precompile_headers(${target} REUSE_FROM sheaf_pch_${pch})
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

function(sheaf_add_ctest name)
  cmake_parse_arguments(A "" "SECONDS;CONFIG" "COMMAND;LABELS;ENV" ${ARGN})
  set(config "")
  if(A_CONFIG)
    set(config CONFIGURATIONS ${A_CONFIG})
  endif()
  add_test(NAME ${name} COMMAND ${A_COMMAND} ${config} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_SECONDS}
                       ENVIRONMENT "${SHEAF_TEST_ENV};${A_ENV}")
endfunction()

# A GoogleTest executable; see the head of this file.
function(sheaf_test)
  cmake_parse_arguments(A "SOAK" "NAME;SECONDS;PCH" "SOURCES;ROOMS;LIBS;CONTRACTS;LABELS" ${ARGN})
  if(SHEAF_LIBFUZZER)
    return()
  endif()
  if(NOT A_SECONDS)
    set(A_SECONDS 120)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  sheaf_room_targets(rooms ${A_ROOMS})
  sheaf_contract_targets(contracts ${A_CONTRACTS})
  add_executable(${A_NAME} ${A_SOURCES})
  target_link_libraries(${A_NAME} PRIVATE sheaf_flags ${rooms} ${A_LIBS} ${contracts}
                        $<TARGET_NAME_IF_EXISTS:sheaf_testkit>
                        GTest::gmock GTest::gtest GTest::gtest_main)
  sheaf_use_pch(${A_NAME} "${A_PCH}")
  if("unit" IN_LIST A_LABELS OR "contract" IN_LIST A_LABELS)
    add_dependencies(unit_tests ${A_NAME})
  endif()
  if("threads" IN_LIST A_LABELS)
    add_dependencies(thread_tests ${A_NAME})
  endif()
  sheaf_add_ctest(${A_NAME} COMMAND ${A_NAME} LABELS ${A_LABELS} SECONDS ${A_SECONDS})
  if(A_SOAK)
    sheaf_add_ctest(${A_NAME}_soak COMMAND ${A_NAME} LABELS soak SECONDS 3600 CONFIG Soak
                    ENV SHEAF_SOAK=1)
  endif()
endfunction()

function(sheaf_bench)
  cmake_parse_arguments(A "" "NAME;SECONDS;PCH" "SOURCES;ROOMS;LIBS" ${ARGN})
  if(SHEAF_LIBFUZZER)
    return()
  endif()
  if(NOT A_SECONDS)
    set(A_SECONDS 120)
  endif()
  sheaf_room_targets(rooms ${A_ROOMS})
  add_executable(${A_NAME} ${A_SOURCES})
  target_link_libraries(${A_NAME} PRIVATE sheaf_flags ${rooms} ${A_LIBS}
                        $<TARGET_NAME_IF_EXISTS:sheaf_testkit>)
  sheaf_use_pch(${A_NAME} "${A_PCH}")
  add_dependencies(benches ${A_NAME})
  sheaf_add_ctest(${A_NAME} COMMAND ${A_NAME} LABELS bench SECONDS ${A_SECONDS}
                  ENV SHEAF_BENCH_SIZE=smoke)
endfunction()

# A fuzzer: under libFuzzer in the fuzz build, else against the small driver of the test kit.
function(sheaf_fuzz)
  cmake_parse_arguments(A "" "NAME;CORPUS" "SOURCES;ROOMS;LIBS" ${ARGN})
  sheaf_room_targets(rooms ${A_ROOMS})
  add_executable(${A_NAME} ${A_SOURCES})
  target_link_libraries(${A_NAME} PRIVATE sheaf_flags ${rooms} ${A_LIBS}
                        $<TARGET_NAME_IF_EXISTS:sheaf_testkit>)
  if(SHEAF_LIBFUZZER)
    target_link_options(${A_NAME} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY SHEAF_FUZZERS "$<TARGET_FILE:${A_NAME}>|${A_CORPUS}")
  else()
    target_link_libraries(${A_NAME} PRIVATE sheaf_fuzz_main)
    sheaf_add_ctest(${A_NAME} COMMAND ${A_NAME} ${A_CORPUS} LABELS fuzz SECONDS 120)
  endif()
endfunction()

function(sheaf_pytest)
  cmake_parse_arguments(A "" "NAME;SECONDS" "FILES;LABELS;ENV" ${ARGN})
  if(NOT A_SECONDS)
    set(A_SECONDS 300)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS system)
  endif()
  sheaf_add_ctest(${A_NAME} LABELS ${A_LABELS} SECONDS ${A_SECONDS} ENV ${A_ENV}
                  COMMAND "${SHEAF_VENV}/bin/python" -m pytest -q -x -p no:cacheprovider ${A_FILES})
endfunction()

function(sheaf_room)
  cmake_parse_arguments(A "THREADS;SOAK" "PCH;TEST_SECONDS"
                        "ROOMS;LIBS;TEST_ROOMS;TEST_LIBS;CONTRACTS" ${ARGN})
  if(A_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sheaf_room: unknown words ${A_UNPARSED_ARGUMENTS}")
  endif()
  file(RELATIVE_PATH room "${CMAKE_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set(patterns *.cc)
  if(room STREQUAL "testkit")
    list(APPEND patterns */*.cc)
  else()
    string(REGEX REPLACE "^sheaf/" "" room "${room}")
  endif()
  string(REPLACE "/" "_" name "${room}")
  set(target sheaf_${name})
  set(sources "")
  foreach(pattern IN LISTS patterns)
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
    list(APPEND sources ${found})
  endforeach()
  file(GLOB contract CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/contract/*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/fuzz_main\\.cc$")
  set(program "")
  if(room MATCHES "^apps/")
    set(program ${sources})
    list(FILTER program INCLUDE REGEX "/main\\.cc$")
    list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  endif()

  sheaf_room_targets(rooms ${A_ROOMS})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC sheaf_flags ${rooms} ${A_LIBS})
    sheaf_use_pch(${target} "${A_PCH}")
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE sheaf_flags ${rooms} ${A_LIBS})
  endif()

  if(contract AND NOT SHEAF_LIBFUZZER)
    add_library(${target}_contract OBJECT ${contract})
    target_link_libraries(${target}_contract PUBLIC ${target} GTest::gmock GTest::gtest
                          $<TARGET_NAME_IF_EXISTS:sheaf_testkit>)
    sheaf_use_pch(${target}_contract "${A_PCH}")
  endif()

  if(program AND NOT SHEAF_LIBFUZZER)
    string(REGEX REPLACE "^apps/" "" binary "${room}")
    add_executable(${binary} ${program})
    target_link_libraries(${binary} PRIVATE ${target})
    sheaf_use_pch(${binary} "${A_PCH}")
    set_target_properties(${binary} PROPERTIES
                          RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  endif()

  set(labels unit)
  if(A_CONTRACTS)
    list(APPEND labels contract)
  endif()
  if(A_THREADS)
    list(APPEND labels threads)
  endif()
  set(soak "")
  if(A_SOAK)
    set(soak SOAK)
  endif()
  if(tests)
    sheaf_test(NAME ${name}_test SOURCES ${tests} ROOMS ${A_TEST_ROOMS} LIBS ${target} ${A_TEST_LIBS}
               CONTRACTS ${A_CONTRACTS} LABELS ${labels} SECONDS ${A_TEST_SECONDS} PCH ${A_PCH}
               ${soak})
  endif()
  foreach(file IN LISTS fuzzers)
    get_filename_component(stem "${file}" NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" unit "${stem}")
    sheaf_fuzz(NAME ${name}_${stem} SOURCES "${file}" ROOMS ${A_TEST_ROOMS}
               LIBS ${target} ${A_TEST_LIBS} CORPUS "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${unit}")
  endforeach()
  foreach(file IN LISTS benches)
    get_filename_component(stem "${file}" NAME_WE)
    sheaf_bench(NAME ${name}_${stem} SOURCES "${file}" ROOMS ${A_TEST_ROOMS}
                LIBS ${target} ${A_TEST_LIBS} PCH ${A_PCH})
  endforeach()
endfunction()

# Protobuf messages and gRPC stubs, hidden from every other library of the process: Arrow's Flight
# library exports the same C++ names.
function(sheaf_proto target)
  set(gen "${CMAKE_BINARY_DIR}/gen")
  file(MAKE_DIRECTORY "${gen}")
  set(outputs "")
  foreach(file IN LISTS ARGN)
    get_filename_component(path "${file}" ABSOLUTE)
    file(RELATIVE_PATH relative "${CMAKE_SOURCE_DIR}" "${path}")
    string(REGEX REPLACE "\\.proto$" "" stem "${gen}/${relative}")
    set(made "${stem}.pb.cc" "${stem}.pb.h" "${stem}.grpc.pb.cc" "${stem}.grpc.pb.h")
    add_custom_command(OUTPUT ${made} DEPENDS "${path}" VERBATIM
      COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=${gen} --grpc_out=${gen}
              --plugin=protoc-gen-grpc=${SHEAF_GRPC_PLUGIN} "${path}"
      COMMENT "protoc ${relative}")
    list(APPEND outputs ${made})
  endforeach()
  add_library(${target} STATIC ${outputs})
  target_include_directories(${target} SYSTEM PUBLIC "${gen}")
  target_link_libraries(${target} PUBLIC sheaf::grpc)
  target_compile_options(${target} PRIVATE -w -fvisibility=hidden -fvisibility-inlines-hidden)
  target_compile_features(${target} PUBLIC cxx_std_20)
endfunction()
