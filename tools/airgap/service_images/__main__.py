"""``python -m tools.airgap.service_images``: makes them now, for whoever tries something by hand."""

from tools.airgap import service_images

if __name__ == "__main__":
    service_images.ensure(print)
