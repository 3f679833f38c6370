from setuptools import setup

setup(name="ocs", version="1.0", py_modules=[])
