"""Which provider APIs the sandbox has. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping

APIS: Mapping[str, str] = {
    "smsclub": "SmsClubApi",
    "plivo": "PlivoApi",
    "infobip": "InfobipApi",
    "vonage": "VonageApi",
    "telnyx": "TelnyxApi",
    "smsfly": "SmsFlyApi",
    "alphasms": "AlphaSmsApi",
    "esputnik": "ESputnikApi",
    "mobizon": "MobizonApi",
    "smsapi": "SmsApiApi",
    "shlink": "ShlinkApi",
    "smsc": "SmscApi",
    "kyivstar": "KyivstarApi",
    "omnicell": "OmnicellApi",
    "decisiontelecom": "DecisionTelecomApi",
    "unisender": "UnisenderApi",
    "clicksend": "ClickSendApi",
    "elks": "ElksApi",
    "sinch": "SinchApi",
    "messagebird": "MessageBirdApi",
    "bird": "BirdApi",
    "bulksms": "BulkSmsApi",
    "gatewayapi": "GatewayApiApi",
    "turbosms": "TurboSmsApi",
    "twilio": "TwilioApi",
    "aws_sns": "AwsSnsApi",
    "aws_eum": "AwsEumApi",
    "drop_folder": "DropFolderApi",
    "turbosms_sql": "TurboSmsSqlApi",
    "jasmin": "JasminApi",
    "playsms": "PlaySmsApi",
    "gammu": "GammuApi",
    "kannel_sqlbox": "KannelSqlboxApi",
    "kannel_log": "KannelLogApi",
    "sql": "SqlApi",
}
"""Provider to the class in `sms_etl.sandbox.<provider>_api`; served under `/<provider>`."""

ROOTS: Mapping[str, str] = {
    "/2010-04-01/Accounts/": "twilio",
    "/message/": "turbosms",
    "/user/": "turbosms",
    "/file/": "turbosms",
}
"""Path beginnings that are served without a mount."""
