from setuptools import setup

setup(name="camcops_server", version="1.0", py_modules=[])
