"""Prints template.yaml after SAM's transform, as JSON. Arguments are parameters: Name=value."""
import json
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The template uses no managed policy by its short name."""

    def load(self):
        return {}


template = yaml_parse(sys.stdin.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/key"  # as sam deploy sets it
parameters = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
parameters.update(argument.split("=", 1) for argument in sys.argv[1:])
json.dump(transform(template, parameters, NoManagedPolicies()), sys.stdout)
