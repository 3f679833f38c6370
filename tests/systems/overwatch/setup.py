from setuptools import setup

setup(name="overwatch", version="1.0", packages=["overwatch"])
