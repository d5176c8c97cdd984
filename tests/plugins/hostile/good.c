/* Gets nothing wrong. */
#include "base.h"
