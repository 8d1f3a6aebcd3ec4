// The door of base/time: Clock, Deadline, ManualClock.
#pragma once

#include "sheaf/base/time/clock.h"
#include "sheaf/base/time/deadline.h"
#include "sheaf/base/time/manual_clock.h"
