// The door of base/async: the only room that makes threads.
#pragma once

#include "sheaf/base/async/cancel.h"
#include "sheaf/base/async/event.h"
#include "sheaf/base/async/executor.h"
#include "sheaf/base/async/gate.h"
#include "sheaf/base/async/mutex.h"
#include "sheaf/base/async/timers.h"
