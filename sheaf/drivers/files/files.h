// The door of drivers/files: local files.
#pragma once

#include "sheaf/drivers/files/checksum.h"
#include "sheaf/drivers/files/file_system.h"
#include "sheaf/drivers/files/journal.h"
#include "sheaf/drivers/files/publish.h"
