// Where a server's certificates lie.
#pragma once

#include <string>

namespace sheaf::grpc {

// Files in PEM form, looked at again every second, so that they may be renewed.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;  // When given, callers must show a certificate that it signed.
};

}  // namespace sheaf::grpc
