# make image: the enclave's image (EIF) in $(B)/image, the same bytes from the
# same sources and Debian packages; deploy/image/build.sh makes it.
#
#   make image CONFIG=oracle.json    the configuration measured in the image
#              KERNEL=bzImage        this kernel instead of ours (6 minutes)
#              INIT=init             this first process instead of ours
#              CMDLINE="..."         instead of deploy/image/cmdline
#              SOURCE_DATE_EPOCH=N   the metadata's time, which is not measured

PACKAGES_IMAGE = binutils ca-certificates
PACKAGES_KERNEL = linux-source-6.12 bc bison flex libelf-dev xz-utils zstd

image: deps
	@deploy/install-packages.sh $(PACKAGES_IMAGE) \
	    $(if $(KERNEL),,$(PACKAGES_KERNEL))
	@$(MAKE) -s -j2 $(B)/bin/hallmark
	@deploy/image/build.sh

image: export OUT = $(B)/image
image: export HALLMARK = $(B)/bin/hallmark
image: export VERSION := $(VERSION)
image: export KERNEL := $(KERNEL)
image: export INIT := $(INIT)
image: export CONFIG := $(CONFIG)
image: export CMDLINE := $(CMDLINE)

# Two clones, the same bytes; what is in them; what measures what.
check-image: image
	@KERNEL="$(or $(KERNEL),$(B)/image/kernel/bzImage)" tests/image/check.py

.PHONY: image check-image
