/* Planted: base must not know of prices. includes.sh has to find this. */
#include "feeds/item.h"
