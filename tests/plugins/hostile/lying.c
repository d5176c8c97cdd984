/* Says that it wrote more rows than there are. */
#define COUNT candidates->count + 5u
#include "base.h"
