// The door of base/core: the words every other room speaks.
//
// Result and Error (how the world fails), SHEAF_CHECK (how the programmer fails), byte sizes,
// identifiers, and the ledger to which every buffer above a few kilobytes is charged.
#pragma once

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/core/check.h"
#include "sheaf/base/core/error.h"
#include "sheaf/base/core/ids.h"
#include "sheaf/base/core/ledger.h"
#include "sheaf/base/core/nearest.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/core/sql.h"
