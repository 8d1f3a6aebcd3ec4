# Build types, warnings, the linker, the compiler cache and the precompiled Arrow header.
#   Test     what `make test` builds: quick to compile, readable stacks
#   Release  what is run and measured; SHEAF_CHECK stays (NDEBUG is never defined)
#   Asan     AddressSanitizer and UBSan        Tsan   ThreadSanitizer

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(SHEAF_BUILD_TYPES Test Release Asan Tsan)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Test CACHE STRING "one of ${SHEAF_BUILD_TYPES}" FORCE)
endif()
if(NOT CMAKE_BUILD_TYPE IN_LIST SHEAF_BUILD_TYPES)
  message(FATAL_ERROR "CMAKE_BUILD_TYPE is ${CMAKE_BUILD_TYPE}, want one of ${SHEAF_BUILD_TYPES}")
endif()
set(CMAKE_CXX_FLAGS_TEST "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(asan "-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined")
set(CMAKE_CXX_FLAGS_ASAN "-O1 -g1 -fno-omit-frame-pointer ${asan}")
set(CMAKE_CXX_FLAGS_TSAN "-O1 -g1 -fno-omit-frame-pointer -fsanitize=thread")
foreach(type TEST RELEASE ASAN TSAN)
  set(CMAKE_EXE_LINKER_FLAGS_${type} "")
  set(CMAKE_SHARED_LINKER_FLAGS_${type} "")
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_ASAN "${asan}")
set(CMAKE_EXE_LINKER_FLAGS_TSAN "-fsanitize=thread")

# What every piece of Sheaf is compiled with; foreign and generated code is not.
add_library(sheaf_flags INTERFACE)
target_include_directories(sheaf_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_features(sheaf_flags INTERFACE cxx_std_20)
target_compile_options(sheaf_flags INTERFACE
  -Wall -Wextra -Werror -Wswitch -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
  -Wno-missing-field-initializers  # designated initialisers leave fields at their default
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # gcc 12 finds false overlaps in std::string
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=stringop-overread>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
  # The checks a sanitizer adds make gcc guess wrong; Test and Release are where warnings count.
  $<$<CONFIG:Asan,Tsan>:-Wno-error>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Asan,Tsan>>:-Wno-maybe-uninitialized>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Asan,Tsan>>:-Wno-format-truncation>)
# Names in messages and debug data start at the root, so that caches fit any clone.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

if(SHEAF_LIBFUZZER)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SHEAF_LIBFUZZER needs clang++")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr,function
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

find_program(SHEAF_MOLD mold)
if(SHEAF_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

find_program(SHEAF_CCACHE ccache)
if(SHEAF_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "${SHEAF_CCACHE}")
endif()

# Two compilers and one linker at a time are what two cores and 8 GB bear.
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)
