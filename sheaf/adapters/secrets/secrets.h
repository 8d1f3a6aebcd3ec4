// The door of adapters/secrets: where secrets come from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/ports/secrets/secrets.h"

namespace sheaf::secrets {

// Reads a variable of the environment; nullptr when it is not set.
using ReadVariable = std::function<const char*(const char*)>;

// Secret `sales.db-pw` is the variable SHEAF_SECRET_SALES_DB_PW: letters in upper case, '-' and '.'
// become '_'.
std::unique_ptr<Secrets> MakeEnvironmentSecrets(ReadVariable read);

// Secret `x` is the file `x` in this directory, read at each Get, without one newline at its end.
// A file that its group or others may read or write is kInvalid: it is no secret.
std::unique_ptr<Secrets> MakeFileSecrets(std::string directory);

// The first source that has it. kNotFound tells every place; any other error ends the search, so
// that a secret which cannot be read is never silently taken from elsewhere.
std::unique_ptr<Secrets> MakeSecretsChain(std::vector<std::unique_ptr<Secrets>> sources);

}  // namespace sheaf::secrets
