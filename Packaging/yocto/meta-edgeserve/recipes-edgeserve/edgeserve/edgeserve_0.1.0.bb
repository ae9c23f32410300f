SUMMARY = "Signed machine-learning models, delivered and served on a device"
DESCRIPTION = "The agent fetches signed versions of TensorFlow Lite models over MQTT, proves each on the device, \
swaps it in without losing a request, and answers predictions on a Unix socket within a stated memory budget."
HOMEPAGE = "https://edgeserve.example"
BUGTRACKER = "https://edgeserve.example/issues"
SECTION = "net"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

DEPENDS = "mosquitto openssl zlib zstd"

# Packaging/build-yocto puts them beside this file: the program is built before, by Swift, which Yocto has not.
SRC_URI = " \
    file://LICENSE \
    file://edgeserve \
    file://edgeserve.json \
    file://edgeserve.service \
    file://edgeserve.socket \
    file://edgeserve-admin.socket \
    file://edgeserve.sysusers \
    file://edgeserve.tmpfiles \
    file://libedgeserve.a \
    file://edgeserve.h \
    file://edgeserve.pc \
"

S = "${UNPACKDIR}"

inherit features_check systemd useradd

REQUIRED_DISTRO_FEATURES = "systemd"
COMPATIBLE_HOST = "(aarch64|x86_64).*-linux"
COMPATIBLE_HOST:libc-musl = "null"

SYSTEMD_SERVICE:${PN} = "edgeserve.service edgeserve.socket edgeserve-admin.socket"

# The user is made when the image is made; the entry of sysusers is for images that are read-only below /etc.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system edgeserve"
USERADD_PARAM:${PN} = "--system --gid edgeserve --home-dir ${localstatedir}/lib/edgeserve --no-create-home \
--shell ${base_sbindir}/nologin edgeserve"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${S}/edgeserve ${D}${bindir}/edgeserve
    install -D -m 0644 ${S}/edgeserve.json ${D}${sysconfdir}/edgeserve/edgeserve.json
    install -d -m 0755 ${D}${sysconfdir}/edgeserve/keys
    install -D -m 0644 ${S}/edgeserve.service ${D}${systemd_system_unitdir}/edgeserve.service
    install -D -m 0644 ${S}/edgeserve.socket ${D}${systemd_system_unitdir}/edgeserve.socket
    install -D -m 0644 ${S}/edgeserve-admin.socket ${D}${systemd_system_unitdir}/edgeserve-admin.socket
    install -D -m 0644 ${S}/edgeserve.sysusers ${D}${nonarch_libdir}/sysusers.d/edgeserve.conf
    install -D -m 0644 ${S}/edgeserve.tmpfiles ${D}${nonarch_libdir}/tmpfiles.d/edgeserve.conf
    install -D -m 0644 ${S}/libedgeserve.a ${D}${libdir}/libedgeserve.a
    install -D -m 0644 ${S}/edgeserve.h ${D}${includedir}/edgeserve.h
    install -D -m 0644 ${S}/edgeserve.pc ${D}${libdir}/pkgconfig/edgeserve.pc
}

FILES:${PN} += "${nonarch_libdir}/sysusers.d/edgeserve.conf ${nonarch_libdir}/tmpfiles.d/edgeserve.conf"
CONFFILES:${PN} = "${sysconfdir}/edgeserve/edgeserve.json"

RDEPENDS:${PN} = "glibc libcrypto libgcc libmosquitto1 libstdc++ zlib zstd"

INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INHIBIT_SYSROOT_STRIP = "1"
# It comes stripped and linked from elsewhere, and its lists of libraries are checked before.
INSANE_SKIP:${PN} += "already-stripped ldflags"
