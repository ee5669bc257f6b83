# Two pldns servers as the DNS servers of a virtual network, in two zones, with a role that can read endpoints and no more.
# The same as main.bicep.
#
#   terraform init && terraform apply -var subnet_id=… -var resource_group_name=rg-dns …
#
# Then set the two addresses (output `servers`) as the DNS servers of each virtual network.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "resource_group_name" {
  description = "The existing resource group of the servers."
  type        = string
}

variable "location" {
  description = "Region of the servers."
  type        = string
}

variable "subnet_id" {
  description = "The id of the existing subnet of the servers. Two of its addresses become DNS servers."
  type        = string
}

variable "addresses" {
  description = "The static addresses of the servers, in the subnet."
  type        = list(string)
  default     = ["10.0.0.4", "10.0.0.5"]
}

variable "ssh_key" {
  description = "The public SSH key of the administrator."
  type        = string
}

variable "package_url" {
  description = "The Debian package of pldns, as a URL that the servers can reach."
  type        = string
}

variable "size" {
  description = "Size of each server."
  type        = string
  default     = "Standard_B2s"
}

data "azurerm_subscription" "current" {}

# The permissions that pldns uses, and no other. Reader would also allow reading every other resource.
resource "azurerm_role_definition" "pldns" {
  name        = "pldns reader (${data.azurerm_subscription.current.subscription_id})"
  description = "Reads private endpoints, their network interfaces, virtual networks and private DNS zones."
  scope       = data.azurerm_subscription.current.id

  permissions {
    actions = [
      "Microsoft.Network/privateEndpoints/read",
      "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read",
      "Microsoft.Network/networkInterfaces/read",
      "Microsoft.Network/virtualNetworks/read",
      "Microsoft.Network/privateDnsZones/read",
      "Microsoft.Network/privateDnsZones/*/read",
      "Microsoft.Resources/subscriptions/read",
    ]
    not_actions = []
  }

  assignable_scopes = [data.azurerm_subscription.current.id]
}

resource "azurerm_user_assigned_identity" "pldns" {
  name                = "id-pldns"
  location            = var.location
  resource_group_name = var.resource_group_name
}

resource "azurerm_role_assignment" "pldns" {
  scope              = data.azurerm_subscription.current.id
  role_definition_id = azurerm_role_definition.pldns.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.pldns.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_network_interface" "pldns" {
  count               = length(var.addresses)
  name                = "nic-pldns-${count.index + 1}"
  location            = var.location
  resource_group_name = var.resource_group_name
  # The servers ask Azure's resolver themselves, not the servers of their virtual network, which they are.
  dns_servers = ["168.63.129.16"]

  ip_configuration {
    name                          = "primary"
    subnet_id                     = var.subnet_id
    private_ip_address_allocation = "Static"
    private_ip_address            = var.addresses[count.index]
  }
}

resource "azurerm_linux_virtual_machine" "pldns" {
  count                 = length(var.addresses)
  name                  = "vm-pldns-${count.index + 1}"
  computer_name         = "pldns-${count.index + 1}"
  location              = var.location
  resource_group_name   = var.resource_group_name
  zone                  = tostring(count.index + 1)
  size                  = var.size
  admin_username        = "pldnsadmin"
  network_interface_ids = [azurerm_network_interface.pldns[count.index].id]
  custom_data           = base64encode(replace(file("${path.module}/cloud-init.yaml"), "PACKAGE_URL", var.package_url))
  secure_boot_enabled   = true
  vtpm_enabled          = true

  admin_ssh_key {
    username   = "pldnsadmin"
    public_key = var.ssh_key
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.pldns.id]
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Premium_LRS"
  }

  source_image_reference {
    publisher = "Debian"
    offer     = "debian-13"
    sku       = "13-gen2"
    version   = "latest"
  }
}

output "servers" {
  description = "The addresses to set as DNS servers of the virtual networks."
  value       = var.addresses
}
