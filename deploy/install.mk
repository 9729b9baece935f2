# make install: the programs, and libhallmark for the programs of others.
# DESTDIR goes before every path; the rest may be set one by one.

BINDIR    ?= $(PREFIX)/bin
LIBDIR    ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR    ?= $(PREFIX)/share/man
DOCDIR    ?= $(PREFIX)/share/doc/hallmark
UNITDIR   ?= $(PREFIX)/lib/systemd/system
OBJCOPY   ?= objcopy

# The programs link every object of verifier/ and feeds/. Others get one
# object with what verifier/ needs of feeds/, in which only what hallmark*.h
# declare (HM_API) can be seen: neither our names nor a change of them can
# get in the way of theirs.
PUBLIC     = $(B)/public
SONAME     = libhallmark.so.0
SHARED     = libhallmark.so.$(VERSION)
LIBS_HM    = -lcrypto -lcbor -ljansson

$(PUBLIC)/libfeeds.a: $(FEEDS)
$(PUBLIC)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
# With -flto it would be an object of bytecode, which objcopy cannot hide in.
$(PUBLIC)/hallmark.o: $(VERIFIER) $(PUBLIC)/libfeeds.a
	$(Q)$(CC) $(CFLAGS) $(if $(findstring -flto,$(CFLAGS)),\
	    -flinker-output=nolto-rel) -r -nostdlib -o $@.all $^
	$(Q)$(OBJCOPY) --localize-hidden $@.all $@
	@rm -f $@.all
$(PUBLIC)/libhallmark.a: $(PUBLIC)/hallmark.o
$(PUBLIC)/$(SHARED): $(PUBLIC)/hallmark.o
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) \
	    -Wl,-z,defs,-z,relro,-z,now,-z,noexecstack,-Bsymbolic \
	    $(LDSAN) -o $@ $^ $(LIBS_HM)

library: $(PUBLIC)/libhallmark.a $(PUBLIC)/$(SHARED)

MANUALS    = $(wildcard deploy/man/*.[0-9])
EXAMPLES   = $(wildcard deploy/*.json) deploy/allowlist.txt \
            deploy/examples/verify_item.c
REGISTRY   = $(wildcard deploy/feeds/*)
OPERATORS  = deploy/README.md deploy/OPERATIONS.md deploy/MANY-EDGES.md
NATS       = $(wildcard deploy/nats/*.conf)
KMS        = $(wildcard deploy/kms/*)
PEERS      = $(wildcard deploy/peers/*)
MONITORING = $(wildcard deploy/monitoring/*)
to         = $(DESTDIR)$(1)
# What a template says of places and versions; the units say /usr/local/bin.
below      = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
FILL       = sed -e 's|@PREFIX@|$(PREFIX)|g' \
            -e 's|@LIBDIR@|$(call below,$(LIBDIR))|g' \
            -e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|g' \
            -e 's|@VERSION@|$(VERSION)|g' -e 's|/usr/local/bin|$(BINDIR)|g'

install: all library
	install -d $(call to,$(BINDIR)) $(call to,$(LIBDIR)/pkgconfig) \
	    $(call to,$(INCLUDEDIR)) $(call to,$(UNITDIR)) \
	    $(foreach d,feeds deploy deploy/nats deploy/kms deploy/peers monitoring,$(call to,$(DOCDIR)/$(d))) \
	    $(foreach s,1 3 8,$(call to,$(MANDIR)/man$(s)))
	install -m 755 $(PROGRAMS) $(call to,$(BINDIR))
	install -m 644 $(wildcard verifier/hallmark*.h) $(call to,$(INCLUDEDIR))
	install -m 644 $(PUBLIC)/libhallmark.a $(call to,$(LIBDIR))
	install -m 755 $(PUBLIC)/$(SHARED) $(call to,$(LIBDIR))
	ln -sf $(SHARED) $(call to,$(LIBDIR)/$(SONAME))
	ln -sf $(SONAME) $(call to,$(LIBDIR)/libhallmark.so)
	$(FILL) deploy/hallmark.pc.in > $(call to,$(LIBDIR)/pkgconfig/hallmark.pc)
	for page in $(MANUALS); do \
	    install -m 644 $$page $(call to,$(MANDIR))/man$${page##*.}; done
	for unit in deploy/*.service deploy/*.socket; do \
	    $(FILL) $$unit > $(call to,$(UNITDIR))/$${unit##*/}; done
	install -m 644 $(EXAMPLES) README.md LICENSE $(call to,$(DOCDIR))
	install -m 644 $(REGISTRY) $(call to,$(DOCDIR)/feeds)
	install -m 644 $(OPERATORS) $(call to,$(DOCDIR)/deploy)
	install -m 644 $(NATS) $(call to,$(DOCDIR)/deploy/nats)
	install -m 644 $(KMS) $(call to,$(DOCDIR)/deploy/kms)
	install -m 644 $(PEERS) $(call to,$(DOCDIR)/deploy/peers)
	install -m 644 $(MONITORING) $(call to,$(DOCDIR)/monitoring)
	chmod 644 $(call to,$(LIBDIR)/pkgconfig/hallmark.pc) \
	    $(call to,$(UNITDIR))/*.service $(call to,$(UNITDIR))/*.socket

# For a parent instance with other libraries than ours (deploy/README.md): the
# programs with theirs under /opt/hallmark, and units that start those.
BUNDLE     = $(B)/bundle
BUNDLED    = deploy/bridge.json deploy/allowlist.txt deploy/enclave.json \
            deploy/verifierd.json

bundle: all
	@rm -rf $(BUNDLE)
	@deploy/bundle.sh $(BUNDLE)/opt/hallmark \
	    $(filter-out %/hallmark-oracle,$(PROGRAMS))
	@install -d $(BUNDLE)/opt/hallmark/share $(BUNDLE)/etc/systemd/system
	@install -m 644 $(BUNDLED) $(BUNDLE)/opt/hallmark/share
	@for unit in deploy/*.service deploy/*.socket; do \
	    sed 's|/usr/local/bin|/opt/hallmark/bin|g' $$unit \
	        >$(BUNDLE)/etc/systemd/system/$${unit##*/}; done
	@cd $(BUNDLE) && find opt etc -type f | sort | tar --owner=0 --group=0 \
	    --mode=go=u-w -czf ../hallmark-bundle.tar.gz -T -
	@echo "$(B)/hallmark-bundle.tar.gz"

.PHONY: library install bundle
